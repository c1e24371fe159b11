"""The state now from a file or from rows: what is taken, and every fault at once, without an NHS number said back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bettercare.errors import BettercareError
from bettercare.flow.network import (
    UNLIMITED,
    Arrival,
    Choice,
    Distribution,
    Network,
    Outcome,
    Patience,
    PatientClass,
    Route,
    Service,
    Shift,
    Station,
    Step,
)
from bettercare.flow.now import (
    Now,
    SnapshotError,
    occupancy_now,
    possible,
    read_now,
    servers_at,
    template,
)

HOUR = Distribution("exponential", mean=1)
NETWORK = Network(
    id="small",
    title="Small",
    starts=date(2016, 4, 1),
    days=28,
    warm_up=0,
    classes=(PatientClass("walk-in", "Walk-in"), PatientClass("medical", "Medical"), PatientClass("elective", "Elective")),
    arrivals=(
        Arrival("walk-ins", "walk-in", "ed", per_day=50),
        Arrival("elective", "elective", "beds", per_day=5),
    ),
    stations=(
        Station("ed", "Emergency department", kind="emergency", servers=4),
        Station("ward-a", "Ward A", servers=2, holds=True),
        Station("ward-b", "Ward B", servers=2, holds=True, if_full="home"),
        Station("hub", "Discharge hub", kind="community", servers=UNLIMITED),
        Station("store", "Nobody comes here", servers=1),
    ),
    services=(Service("ed", "walk-in", HOUR), Service("ward-a", "any", HOUR), Service("ward-b", "any", HOUR), Service("hub", "any", HOUR)),
    routes=(
        Route("ed", "walk-in", "home", 0.8),
        Route("ed", "walk-in", "beds", 0.2, becomes="medical"),
        Route("ward-a", "any", "home", 1.0),
        Route("ward-b", "any", "hub", 1.0),
        Route("hub", "any", "home", 1.0),
    ),
    outcomes=(Outcome("home", "Home"),),
    choices=(Choice("beds", ("ward-a", "ward-b"), "first-with-room"),),
    patience=(Patience("ed", "walk-in", HOUR, "home"),),
)  # fmt: skip
AT = datetime(2016, 4, 11, 10, 0)
HEAD = "patient,station,class,since,state,goes_to,expected_discharge\n"
NUMBER = "943 476 5919"


def read(tmp_path: Path, text: str, at: datetime | None = AT) -> Now:
    path = tmp_path / "now.csv"
    path.write_text(text, encoding="utf-8")
    return read_now(path, NETWORK, at)


def faults(tmp_path: Path, text: str, at: datetime | None = AT) -> list[tuple[str, str]]:
    with pytest.raises(SnapshotError) as refused:
        read(tmp_path, text, at)
    assert all(fault.remedy for fault in refused.value.faults)
    return [(fault.where.removeprefix("now.csv, "), fault.what) for fault in refused.value.faults]


def test_a_file_becomes_a_state(tmp_path: Path) -> None:
    now = read(
        tmp_path,
        HEAD
        + "p1,ed,walk-in,2016-04-11T09:15,in service,,\np2,ed,walk-in,2016-04-11 09:50,waiting,,\n"
        + "p3,ward-b,medical,2016-04-08T12:00:00,Ready,hub,2016-04-10\np4,ward-a,elective,2016-04-09T12:00,in service,,2016-04-12T16:00\n\n",
    )
    assert now.at == AT
    assert now.rows["patient"].to_list() == ["p1", "p2", "p4", "p3"]
    assert now.rows["state"].to_list() == ["in service", "waiting", "in service", "ready"]
    assert now.rows["by_day"].to_list() == [False, False, False, True]
    assert now.rows["goes_to"].to_list() == [None, None, None, "hub"]
    assert now.warnings == (
        "1 patient was expected to leave before the snapshot: their time is drawn as if no date were given.",
    )
    table = occupancy_now(now, NETWORK)
    assert table.select("station", "servers", "in_service", "ready", "waiting", "free").rows() == [
        ("ed", 4, 1, 0, 1, 3),
        ("ward-a", 2, 1, 0, 0, 1),
        ("ward-b", 2, 0, 1, 0, 1),
        ("hub", None, 0, 0, 0, None),
        ("store", 1, 0, 0, 0, 1),
    ]
    assert table["occupancy"].to_list() == [0.25, 0.5, 0.5, None, 0.0]


def test_rows_of_a_store_give_the_same(tmp_path: Path) -> None:
    rows = [
        {"patient": "p1", "station": "ed", "class": "walk-in", "since": datetime(2016, 4, 11, 9, 15), "state": "in service"},
        {"patient": "p3", "station": "ward-b", "class": "medical", "since": "2016-04-08T12:00", "state": "ready", "goes_to": "hub",
         "expected_discharge": date(2016, 4, 12)},
    ]  # fmt: skip
    from_file = read(
        tmp_path,
        HEAD + "p3,ward-b,medical,2016-04-08T12:00,ready,hub,2016-04-12\np1,ed,walk-in,2016-04-11T09:15,in service,,",
    )
    assert Now.of(rows, NETWORK, AT).rows.equals(from_file.rows)


def test_the_moment_may_stand_in_the_file(tmp_path: Path) -> None:
    head = "patient,station,class,since,state,at\n"
    row = "p1,ed,walk-in,2016-04-11T09:15,in service,"
    assert read(tmp_path, head + row + "2016-04-11T10:00", None).at == AT
    with pytest.raises(
        SnapshotError, match=r"not known\. Fill the column at, or give the time \(--at on the command line\)\."
    ):
        read(tmp_path, head + row, None)
    both = faults(tmp_path, head + row + "2016-04-11T10:00", datetime(2016, 4, 11, 11))
    assert both == [
        ("row 2, column at", "The snapshot was taken at 2016-04-11 10:00 here and at 2016-04-11 11:00 elsewhere.")
    ]
    assert faults(tmp_path, head + row + "2016-04-11", None)[0][1] == "The snapshot has a date and no time."
    with pytest.raises(BettercareError, match="carries a time zone"):
        Now.of([], NETWORK, datetime.fromisoformat("2016-04-11T10:00+01:00"))


def test_every_fault_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        HEAD
        + "p1,ed,walk-in,2016-04-11T11:15,in service,,\n"
        + "p1,ed,walk-in,2016-04-11T09:15,asleep,,\n"
        + "p2,icu,walk-in,2016-04-11T09:15,waiting,,\n"
        + "p3,ward-a,walk-in,2016-04-11T09:15,waiting,,\n"
        + "p4,ward-a,surgical,2016-04-11T09:15,waiting,,\n"
        + "p5,ward-a,medical,yesterday,waiting,,\n"
        + "p6,ward-a,medical,1916-04-11T09:15,ready,mars,\n"
        + "p7,ward-a,medical,2016-04-11T09:15,waiting,home,tomorrow\n"
        + "p8,ward-a,medical,2016-04-11T09:15Z,waiting,,2099-01-01\n"
        + ",,,,,,\n,ward-a,,2016-04-11T09:15,,,\n",
    )
    assert found == [
        ("row 2, column since", "2016-04-11 11:15 is after the snapshot (2016-04-11 10:00)."),
        ("row 3, column patient", "The patient is already at now.csv, row 2."),
        ("row 3, column state", "'asleep' is not a state."),
        ("row 4, column station", "The network has no station 'icu'."),
        ("row 5, column class", "No walk-in patient can be at ward-a."),
        ("row 6, column class", "The network has no class 'surgical'."),
        ("row 7, column since", "'yesterday' is not a date, or date and time."),
        ("row 8, column goes_to", "The network has no station, choice or outcome 'mars'."),
        ("row 8, column since", "1916-04-11 09:15 is more than five years before the snapshot."),
        ("row 9, column goes_to", "Only a patient who is ready waits to go somewhere."),
        ("row 9, column expected_discharge", "'tomorrow' is not a date, or date and time."),
        ("row 10, column since", "'2016-04-11T09:15Z' carries a time zone."),
        ("row 10, column expected_discharge", "2099-01-01 is more than five years after the snapshot."),
        ("row 12, column patient", "The cell is blank."),
        ("row 12, column class", "The cell is blank."),
        ("row 12, column state", "The cell is blank."),
    ]


@pytest.mark.parametrize(
    "written",
    [
        NUMBER,
        "9434765919",
        "943-476-5919",
        " 943 476\u00a05919",
        "９４３４７６５９１９",
        "patient-9434765919",
        "P9434765919",
    ],
)
def test_an_nhs_number_is_refused_and_not_said(tmp_path: Path, written: str) -> None:
    with pytest.raises(SnapshotError) as refused:
        read(
            tmp_path,
            HEAD
            + f"{written},ed,walk-in,2016-04-11T09:15,waiting,,\n{written},ed,walk-in,2016-04-11T09:15,waiting,,\n",
        )
    assert [fault.what for fault in refused.value.faults] == ["The pseudonym is or holds a valid NHS number."] * 2
    assert "5919" not in str(refused.value)
    assert "５９１９" not in str(refused.value)


@pytest.mark.parametrize("column", range(7))
def test_an_nhs_number_in_any_cell_is_not_said(tmp_path: Path, column: int) -> None:
    cells = ["p1", "ed", "walk-in", "2016-04-11T09:15", "waiting", "", ""]
    cells[column] = NUMBER
    with pytest.raises(SnapshotError) as refused:
        read(tmp_path, HEAD + ",".join(cells))
    assert "valid NHS number" in str(refused.value)
    assert "5919" not in str(refused.value)


def test_an_nhs_number_in_the_heading_or_the_name_of_the_file_is_not_said(tmp_path: Path) -> None:
    for name, head in (("now.csv", f"patient,{NUMBER}\n"), (f"{NUMBER}.csv", "patient\n")):
        path = tmp_path / name
        path.write_text(head, encoding="utf-8")
        with pytest.raises(BettercareError) as refused:
            read_now(path, NETWORK, AT)
        assert "5919" not in str(refused.value)
    with pytest.raises(BettercareError) as refused:
        Now.of([{NUMBER: "p1", "patient": "p1"}], NETWORK, AT)
    assert "5919" not in str(refused.value)


@given(
    st.lists(
        st.fixed_dictionaries(
            {name: st.text(max_size=30) for name in ("patient", "station", "class", "since", "state")}
        ),
        max_size=4,
    )
)
def test_any_text_is_a_state_or_a_fault_in_words(rows: list[dict[str, str]]) -> None:
    if not rows:
        assert Now.of(rows, NETWORK, AT).rows.is_empty()
        return
    with pytest.raises(SnapshotError) as refused:
        Now.of(rows, NETWORK, AT)
    assert all(fault.what and fault.where and fault.remedy for fault in refused.value.faults)


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00bad", b"", b"patient;station\n", b'patient,station\n"open', HEAD.encode() * 2 + b"\0", HEAD.encode() + b"p1,ed\n"],
    ids=["not-utf8", "empty", "semicolons", "open-quote", "zero-byte", "short-row"],
)  # fmt: skip
def test_a_broken_file_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "now.csv"
    path.write_bytes(content)
    with pytest.raises(BettercareError, match=r"now\.csv"):
        read_now(path, NETWORK, AT)


def test_a_file_that_is_not_there_and_rows_that_are_not_text() -> None:
    with pytest.raises(BettercareError, match="not there"):
        read_now("nowhere/now.csv", NETWORK, AT)
    odd = {"patient": float("nan"), "station": 7, "class": ["x"], "since": 1e308, "state": True}
    with pytest.raises(SnapshotError):
        Now.of([odd], NETWORK, AT)


@pytest.mark.parametrize(
    ("station", "patient", "goes_to", "taken"),
    [
        ("ward-b", "medical", "ed", None),
        ("ed", "walk-in", "hub", None),
        ("ed", "walk-in", "beds", "beds"),
        ("ed", "walk-in", "ward-b", "ward-b"),
        ("ed", "walk-in", "home", "home"),
    ],
)
def test_where_no_route_leads_is_not_taken(station: str, patient: str, goes_to: str, taken: str | None) -> None:
    row = {"patient": "p", "station": station, "class": patient, "since": AT, "state": "ready", "goes_to": goes_to}
    now = Now.of([row], NETWORK, AT)
    assert now.rows["goes_to"].to_list() == [taken]
    said = f"1 patient waits to go where no route leads ({station} to {goes_to}): where they go is drawn as if it were not given."
    assert now.warnings == (() if taken else (said,))


def test_what_is_odd_is_said(tmp_path: Path) -> None:
    assert read(tmp_path, HEAD).warnings == ("Nobody is in the network: the forecast starts from empty.",)
    crowd = "".join(f"p{n},ward-a,medical,2016-04-11T09:15,in service,,\n" for n in range(4))
    assert read(tmp_path, HEAD + crowd[: crowd.index("p3")]).warnings == ()
    assert read(tmp_path, HEAD + crowd).warnings == (
        "ward-a has 4 patients in 2 places: either the snapshot or the network's places are out of date.",
    )


def test_the_template_can_be_read_back(tmp_path: Path) -> None:
    now = read(tmp_path, template(NETWORK), None)
    assert now.rows["station"].to_list() == ["ed", "hub", "ward-a", "ward-b"]
    assert now.rows["patient"].str.starts_with("example-").all()


def test_who_can_be_where() -> None:
    found = possible(NETWORK)
    assert found["ed"] == {"walk-in"}
    assert found["ward-a"] == found["ward-b"] == found["hub"] == {"medical", "elective"}
    assert found["store"] == set()
    overflow = replace(NETWORK, stations=(replace(NETWORK.stations[0], queue=3, if_full="hub"), *NETWORK.stations[1:]))
    assert "walk-in" in possible(overflow)["hub"]


def test_servers_by_the_hour() -> None:
    station = Station(
        "a", "A", servers=1,
        shifts=(Shift((0, 1, 2, 3, 4), 8, 20, 3), Shift((4,), 22, 6, 5)),
        steps=(Step(date(2016, 4, 20), 2), Step(date(2016, 4, 22), -4)),
    )  # fmt: skip
    hours = [(11, 7), (11, 8), (11, 20), (15, 23), (16, 5), (16, 6), (20, 8), (23, 12)]
    assert [servers_at(station, datetime(2016, 4, day, hour)) for day, hour in hours] == [1, 4, 1, 6, 6, 1, 6, 0]
    assert servers_at(replace(station, servers=UNLIMITED), AT) == UNLIMITED


def test_a_large_snapshot_is_one_frame(tmp_path: Path) -> None:
    rows = "".join(f"p{n},hub,medical,2016-04-10T09:15,in service,,\n" for n in range(20_000))
    assert isinstance(read(tmp_path, HEAD + rows).rows, pl.DataFrame)
