"""Stays and bed days: what is refused, what follows from a mark, and a snapshot that says who is there."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bettercare.care.bed_days import BedDay, days_of, lost_bed_days, mark, of_day, red_days, reviewed
from bettercare.care.now import state_now
from bettercare.care.readings import Reading, note_reading, readings
from bettercare.care.snapshot import SnapshotError, preview, read_snapshot, read_upload, take, template
from bettercare.care.stays import (
    Stay,
    Ward,
    at,
    back,
    book,
    day_of,
    gone,
    is_long,
    left_between,
    nights,
    not_ready,
    present,
    ready,
)
from bettercare.errors import BettercareError
from bettercare.store import Store

DAY = date(2016, 11, 2)
NOW = at(DAY, time(11))
NUMBER = "943 476 5919"
"""A valid NHS number of nobody: the one the NHS prints in its examples."""
WARDS = (
    Ward("amu", "Acute medical unit", "assessment", 12, goes_to=(("medicine", "Medicine"), ("home", "Home"))),
    Ward("medicine", "Medicine", "ward", 24, goes_to=(("home", "Home"), ("rehab", "Rehabilitation"))),
)
CLASSES = ("frail", "medical")
HEAD = "patient,ward,unit,bed,class,since,admitted,expected_discharge,criteria,ready_since,waiting_for\n"


def stay(**given: Any) -> Stay:
    usual = {
        "id": "s1",
        "pseudonym": "P1",
        "station": "medicine",
        "patient_class": "frail",
        "since": at(date(2016, 10, 31), time(14)),
    }
    return Stay.model_validate({"plan": book("p"), **usual, **given})  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "care.db")


# --- NHS numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["9434765919", NUMBER, "943-476-5919", "943\u00a0476\u00a05919", "943\u2013476\u20135919", "９４３４７６５９１９", "٩٤٣٤٧٦٥٩١٩", "94347\u200b65919", "x 943 476 5919 y", "9.4.3.4.7.6.5.9.1.9", "0000000000"])  # fmt: skip
def test_a_stay_refuses_an_nhs_number_however_it_is_written(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        stay(pseudonym=text)
    assert "5919" not in str(refused.value)
    for name in ("unit", "bed", "criteria"):
        with pytest.raises(ValidationError, match="must not hold an NHS number"):
            stay(**{name: text})


# --- what a stay refuses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {"pseudonym": "two words"}, {"pseudonym": ""}, {"pseudonym": "<b>"}, {"pseudonym": "x" * 41}, {"station": ""}, {"patient_class": ""},
        {"since": "soon"}, {"since": datetime(2016, 11, 2)}, {"admitted": NOW}, {"ready_since": at(date(2016, 1, 1), time(1))},
        {"waiting_for": "home"}, {"left": NOW}, {"left": NOW, "left_on": date(2016, 11, 1)}, {"left_on": DAY}, {"outcome": "home"},
        {"left": at(date(2016, 10, 1), time(1)), "left_on": date(2016, 10, 1)}, {"criteria": "x" * 1_001}, {"bed": "\x00"}, {"nonsense": 1},
        {"expected_discharge": float("nan")},
    ],
)  # fmt: skip
def test_a_stay_that_cannot_be_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        stay(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"colour": "red"}, {"colour": "blue"}, {"colour": "green", "reason": "transport"}, {"reason": "transport"}, {"colour": "red", "reason": "rain"},
        {"colour": "red", "reason": "other"}, {"reviewed": at(date(2016, 11, 1), time(9))}, {"note": NUMBER}, {"note": "x" * 501}, {"stay": ""},
    ],
)  # fmt: skip
def test_a_bed_day_that_cannot_be_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BedDay.model_validate({"stay": "s1", "station": "medicine", "day": DAY, **given})


def test_marks_are_refused_in_words() -> None:
    day = of_day(stay(), DAY)
    for colour, reason, note in (("red", "", None), ("blue", "", None), ("red", "rain", None), ("red", "other", " "), ("green", "", NUMBER), ("green", "", "x" * 501)):  # fmt: skip
        with pytest.raises(BettercareError) as refused:
            mark(day, colour, reason, note)
        assert "5919" not in str(refused.value)
    with pytest.raises(BettercareError, match="was not on the ward on 30 October 2016"):
        of_day(stay(), date(2016, 10, 30))
    with pytest.raises(BettercareError, match="on another day"):
        reviewed(day, NOW + timedelta(days=1))


# --- what follows from a mark ---------------------------------------------------------------------------------------------


def test_a_stay_goes_from_coming_to_leaving_and_back() -> None:
    here = stay()
    could = ready(here, NOW, "rehab")
    assert (could.ready_since, could.waiting_for) == (NOW, "rehab")
    # Told again where to, they are ready from when they first were.
    assert ready(could, NOW + timedelta(hours=1), "home").ready_since == NOW
    assert not_ready(could) == here
    over = gone(could, NOW, "home")
    assert (over.left, over.left_on, over.outcome) == (NOW, DAY, "home")
    assert Stay.model_validate(over.model_dump()) == over
    assert back(over) == could
    with pytest.raises(BettercareError, match="P1 left at 11:00 on 2 November 2016"):
        gone(over, NOW)
    with pytest.raises(BettercareError, match="had not come"):
        ready(here, here.since - timedelta(minutes=1))


def test_days_are_those_of_the_clock_on_the_wall() -> None:
    # In summer the wall is an hour ahead: half past eleven at night in UTC is the next day.
    late = datetime(2016, 7, 1, 23, 30, tzinfo=UTC)
    assert day_of(late) == date(2016, 7, 2)
    assert at(date(2016, 7, 2), time(0, 30)) == late
    assert gone(stay(since=late - timedelta(days=1)), late).left_on == date(2016, 7, 2)


def test_nights_are_midnights_in_hospital() -> None:
    assert nights(stay(since=NOW), NOW) == 0
    came = at(date(2016, 10, 25), time(23, 59))
    assert nights(stay(admitted=came), NOW) == 8
    assert is_long(stay(admitted=came), NOW)
    assert not is_long(stay(admitted=came + timedelta(minutes=1)), NOW)
    assert nights(gone(stay(), NOW), NOW + timedelta(days=40)) == 2


def test_the_state_now_is_those_who_are_there_with_the_wards_clock() -> None:
    summer = datetime(2016, 7, 1, 9, tzinfo=UTC)
    stays = (
        stay(id="a", pseudonym="A", since=summer, expected_discharge=date(2016, 7, 4)),
        ready(stay(id="b", pseudonym="B", since=summer), summer + timedelta(hours=1), "rehab"),
        stay(id="c", pseudonym="C", since=summer + timedelta(days=1)),
        gone(stay(id="d", pseudonym="D", since=summer), summer + timedelta(hours=1)),
    )
    rows = state_now(stays, summer + timedelta(hours=2))
    usual = {"station": "medicine", "class": "frail", "since": datetime(2016, 7, 1, 10)}
    assert rows == [
        {"patient": "A", **usual, "state": "in service", "goes_to": "", "expected_discharge": date(2016, 7, 4)},
        {"patient": "B", **usual, "state": "ready", "goes_to": "rehab", "expected_discharge": None},
    ]
    assert [row["state"] for row in state_now(stays, summer)] == ["in service"] * 3


def test_red_days_are_counted_by_reason_and_lost_days_by_ward() -> None:
    one, two = stay(id="a"), gone(stay(id="b", pseudonym="B", station="amu"), NOW, "home")
    one = ready(one, at(date(2016, 11, 1), time(9)))
    days = [
        mark(of_day(one, date(2016, 10, 31)), "red", "transport"),
        mark(of_day(one, date(2016, 11, 1)), "red", "care home"),
        mark(of_day(two, date(2016, 10, 31)), "red", "transport"),
        mark(of_day(two, date(2016, 11, 1)), "green"),
    ]
    frame = red_days(days, date(2016, 10, 31), DAY)
    assert frame.rows() == [("transport", False, 2, 2, 2 / 3), ("care home", True, 1, 1, 1 / 3)]
    assert red_days(days, DAY, DAY).is_empty()
    assert red_days([], DAY, DAY).columns == frame.columns
    lost = lost_bed_days((one, two), days, date(2016, 10, 31), date(2016, 11, 9), NOW)
    # One is there on three days, ready over one midnight; two left on the third, which is not a day of theirs.
    assert lost.rows(named=True) == [
        {"station": "amu", "bed_days": 2, "green": 1, "red": 1, "unmarked": 0, "ready": 0},
        {"station": "medicine", "bed_days": 3, "green": 0, "red": 2, "unmarked": 1, "ready": 1},
    ]


# --- the store ------------------------------------------------------------------------------------------------------------


def test_stays_and_days_are_kept_with_their_history_and_apart_from_the_plans(store: Store) -> None:
    with store.change("ann") as changing:
        changing.add(stay(bed="10"))
        changing.add(stay(id="s2", pseudonym="P2", bed="2"))
        changing.add(mark(of_day(stay(), DAY), "red", "therapy"))
    assert [one.bed for one in present(store, "p")] == ["2", "10"]
    assert present(store, "p", "amu") == present(store, "q") == ()
    with store.change("ben") as changing:
        changing.replace(gone(present(store, "p")[0], NOW, "home"))
    assert [one.pseudonym for one in left_between(store, "p", DAY, DAY)] == ["P2"]
    assert [one.reason for one in days_of(store, "p", DAY, DAY, "medicine")] == ["therapy"]
    assert [change.by for change in store.history(Stay, book("p"), "s2")] == ["ann", "ben"]
    # What everybody may read of a plan's history holds nothing of its patients, and the plan is not judged anew.
    assert store.changes("p") == ()
    assert store.revision("p") == 0
    assert store.check() == ()


def test_readings_are_only_added_to(store: Store) -> None:
    first = note_reading(store, "p", "ann", "ward:medicine", "Board round", NOW)
    note_reading(store, "p", "ben", "x" * 500, "Board round", NOW + timedelta(seconds=1))
    assert [one.who for one in readings(store, "p")] == ["ben", "ann"]
    assert readings(store, "q") == ()
    for forbidden in ("replace", "remove"):
        with pytest.raises(BettercareError, match="is never"), store.change("eve") as changing:
            getattr(changing, forbidden)(first)
    assert len(store.list(Reading, book("p"))) == 2


# --- snapshots ------------------------------------------------------------------------------------------------------------


def _read(tmp_path: Path, rows: str, head: str = HEAD) -> Any:
    path = tmp_path / "stays.csv"
    path.write_text(head + rows, encoding="utf-8")
    return read_snapshot(path, WARDS, CLASSES, NOW)


def test_a_snapshot_says_who_came_moved_and_left(store: Store, tmp_path: Path) -> None:
    first = _read(
        tmp_path,
        "A,amu,,1,medical,2016-11-01T20:00,,,,,\nB,Medicine,Oak,2,frail,30/10/2016 09:05,29/10/2016 10:00,2016-11-04,Walks,,\n",
    )
    assert preview(store, "p", first).came
    found = take(store, "p", "flo", first)
    assert [one.pseudonym for one in found.came] == ["A", "B"]
    assert take(store, "p", "flo", first) == type(found)((), (), (), (), ())
    # A has moved on, B has a new bed and keeps what is known, C is new, D never was.
    second = _read(tmp_path, "A,medicine,,5,medical,2016-11-02T09:30,,,,,\nB,medicine,,3,frail,2016-10-30T09:05,,,,2016-11-02T08:00,rehab\n")  # fmt: skip
    found = take(store, "p", "flo", second)
    stays = {one.pseudonym: one for one in present(store, "p")}
    assert (stays["A"].came_from, stays["A"].admitted) == ("amu", at(date(2016, 11, 1), time(20)))
    assert (stays["B"].unit, stays["B"].bed, stays["B"].criteria, stays["B"].waiting_for) == (
        "Oak",
        "3",
        "Walks",
        "rehab",
    )
    assert stays["B"].expected_discharge == date(2016, 11, 4)
    [moved] = left_between(store, "p", DAY, DAY)
    assert (moved.station, moved.outcome, moved.left) == ("amu", "medicine", at(DAY, time(9, 30)))
    # Of one ward alone: who is missing elsewhere has not left.
    third = _read(tmp_path, "C,amu,,1,frail,2016-11-02T10:00,,,,,\n")
    assert take(store, "p", "flo", third, "amu").left == ()
    assert [one.pseudonym for one in take(store, "p", "flo", third).left] == ["A", "B"]
    assert [one.pseudonym for one in present(store, "p")] == ["C"]


def test_a_snapshot_does_not_undo_what_the_board_has_marked(store: Store, tmp_path: Path) -> None:
    snapshot = _read(tmp_path, "A,amu,,1,medical,2016-11-01T20:00,,,,,\n")
    take(store, "p", "flo", snapshot)
    with store.change("wil") as changing:
        changing.replace(gone(present(store, "p")[0], NOW, "home"))
        changing.add(stay(since=NOW + timedelta(minutes=1)))
    found = take(store, "p", "flo", snapshot)
    assert found.kept == ("A",)
    assert not found
    assert [one.pseudonym for one in present(store, "p")] == ["P1"], "who came after it was taken could not be in it"


def test_a_snapshot_that_contradicts_what_is_known_is_refused_whole(store: Store, tmp_path: Path) -> None:
    with store.change("wil") as changing:
        changing.add(ready(stay(), at(date(2016, 10, 31), time(15))))
    before = store.revision()
    new = "N,amu,,,frail,2016-11-02T10:00,,,,,\n"
    for row, why in (
        ("P1,amu,,1,medical,2016-10-01T20:00,,,,,\n", "P1 is known to have come to another ward after"),
        ("P1,medicine,,,frail,2016-11-01T20:00,,,,,\n", "P1: Ready since must not be before the stay began"),
    ):
        with pytest.raises(BettercareError, match=why):
            take(store, "p", "flo", _read(tmp_path, new + row))
        assert store.revision() == before


@pytest.mark.parametrize(
    ("row", "column", "what"),
    [
        (f"{NUMBER},amu,,,frail,2016-11-01T10:00,,,,,", "patient", "holds an NHS number"),
        (f"A,amu,,,frail,2016-11-01T10:00,,,see {NUMBER},,", "criteria", "holds an NHS number"),
        ("A B,amu,,,frail,2016-11-01T10:00,,,,,", "patient", "cannot be a pseudonym"),
        (",amu,,,frail,2016-11-01T10:00,,,,,", "patient", "blank"),
        ("A,x,,,frail,2016-11-01T10:00,,,,,", "ward", "no ward"),
        ("A,amu,,,x,2016-11-01T10:00,,,,,", "class", "no class"),
        ("A,amu,,,frail,yesterday,,,,,", "since", "is not a time"),
        ("A,amu,,,frail,2016-11-02T11:01,,,,,", "since", "after the snapshot"),
        ("A,amu,,,frail,1016-11-02T11:01,,,,,", "since", "five years"),
        ("A,amu,,,frail,0001-01-01T00:00,,,,,", "since", "five years"),
        ("A,amu,,,frail,nan,,,,,", "since", "is not a time"),
        ("A,amu,,,frail,2016-11-01T10:00,2016-11-01T11:00,,,,", "admitted", "after they came"),
        ("A,amu,,,frail,2016-11-01T10:00,,31/2/2016,,,", "expected_discharge", "is not a day"),
        ("A,amu,,,frail,2016-11-01T10:00,,2916-11-01,,,", "expected_discharge", "five years away"),
        ("A,amu,,,frail,2016-11-01T10:00,,,,2016-10-01T10:00,", "ready_since", "before they came"),
        ("A,amu,,,frail,2016-11-01T10:00,,,,,home", "waiting_for", "Only one who is ready"),
        ("A,amu,,,frail,2016-11-01T10:00,,,,2016-11-01T11:00,rehab", "waiting_for", "Nobody goes from amu"),
        ("A,amu,,12345678901234567890x,frail,2016-11-01T10:00,,,,,", "bed", "more than 20"),
        ("A,amu,\x07,,frail,2016-11-01T10:00,,,,,", "unit", "cannot be printed"),
        ("A,amu,,,frail,2016-11-01T10:00,,,,,\nA,medicine,,,frail,2016-11-01T10:00,,,,,", "patient", "already at"),
    ],
)  # fmt: skip
def test_a_fault_of_a_snapshot_says_where_and_nothing_is_taken(
    tmp_path: Path, row: str, column: str, what: str
) -> None:
    with pytest.raises(SnapshotError) as refused:
        _read(tmp_path, row + "\n")
    assert any(f"column {column}" in fault.where and what in fault.what for fault in refused.value.faults), (
        refused.value
    )
    assert all(fault.remedy for fault in refused.value.faults)
    assert "5919" not in str(refused.value)


def test_every_fault_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError) as refused:
        _read(tmp_path, "A B,x,,,y,z,,,,,\nC,amu,,,frail,2016-11-01T10:00,,,,,\n,,,,,,,,,,home\n")
    assert {fault.where.rpartition(" ")[2] for fault in refused.value.faults} == {"patient", "ward", "class", "since"}
    assert "3 faults" not in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"\0", HEAD.encode(), b"patient;ward\n", f"{NUMBER},ward\nx,y\n".encode(), b'patient,ward\n"x', b"patient,ward,class\nx,y,z\n"],
)  # fmt: skip
def test_what_is_no_file_of_stays_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(BettercareError) as refused:
        read_upload("stays.csv", content, WARDS, CLASSES, NOW)
    assert "5919" not in str(refused.value)


def test_other_files_and_their_names_are_refused_in_words() -> None:
    for name in ("stays.xlsx", "", "../../etc/passwd", NUMBER, "a\r\nb.csv.exe"):
        with pytest.raises(BettercareError, match=r"read from \.csv files") as refused:
            read_upload(name, HEAD.encode(), WARDS, CLASSES, NOW)
        assert "5919" not in str(refused.value)


def test_the_template_is_a_file_that_is_taken() -> None:
    text = template(WARDS, CLASSES)
    assert text.startswith(HEAD)
    assert list(read_upload("x.csv", text.encode(), WARDS, CLASSES, NOW + timedelta(days=1)).rows) == ["example-1"]
