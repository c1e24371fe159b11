"""The wards' pages: who may see them and who has, the board round with and without scripts, and a snapshot taken in."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from bettercare.access.roles import RIGHTS, Role
from bettercare.assurance.programme import Programme
from bettercare.care.bed_days import BedDay, mark, of_day
from bettercare.care.readings import readings
from bettercare.care.stays import Stay, at, book, gone, present
from bettercare.demo.wards import ward_day
from bettercare.flow.network import Arrival, Network, Outcome, PatientClass, Route, Station
from bettercare.store import Store
from bettercare.web.state import Deployment
from demo_client import check_outline, demo
from web_client import BCF, LLR, Client, client, plan

__all__ = ["client", "demo"]

EVIL = """'"><x-evil onload="1">&lt;"""
DAY = date(2016, 1, 31)
NOW = at(DAY, time(11))
BASE = f"/plans/{BCF}"
NETWORK = Network(
    "small", "A small hospital", date(2016, 1, 1), 30, 7,
    classes=(PatientClass("frail", f"Frail {EVIL}"), PatientClass("medical", "Medical")),
    arrivals=(), services=(),
    stations=(
        Station("amu", "Acute medical unit", "assessment", servers=12),
        Station("medicine", "Medicine", "ward", servers=24),
        Station("visiting", "Home visiting", "community", places="clinicians", servers=3),
        Station("door", "Front door", "emergency", servers=5),
    ),
    routes=(Route("amu", "any", "medicine", 1), Route("medicine", "any", "home", 0.9), Route("medicine", "any", "visiting", 0.1)),
    outcomes=(Outcome("home", "Home"),), plan=BCF,
)  # fmt: skip


def stay(id: str, **given: Any) -> Stay:
    usual = {
        "plan": book(BCF),
        "id": id,
        "pseudonym": f"Patient-{id.upper()}",
        "station": "medicine",
        "patient_class": "frail",
        "since": at(date(2016, 1, 29), time(14)),
    }
    return Stay.model_validate(usual | given)  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of a plan whose small network has three patients on one ward and one on another; it is 11:00."""
    path = tmp_path_factory.mktemp("wards") / "wards.db"
    store = Store.open(path)
    Deployment(store, {BCF: plan(BCF)}, networks={BCF: NETWORK})
    with store.change("test") as changing:
        changing.replace(store.read(Programme, BCF, BCF).model_copy(update={"as_at": DAY}))
        long = stay(
            "c3",
            bed="3",
            unit="Oak",
            since=at(date(2016, 1, 10), time(9)),
            criteria="Eats",
            expected_discharge=date(2016, 1, 28),
        )
        changing.add_all([stay("a1", bed="1", unit="Oak"), stay("b2", bed="2", unit="Elm"), long, stay("d4", station="amu")])  # fmt: skip
        changing.add(mark(of_day(long, DAY - timedelta(days=1)), "red", "care home"))
    store.close()
    return path


@pytest.fixture
def ward(prepared: Path, tmp_path: Path) -> Iterator[Client]:
    """A client of a server on a copy of the prepared store; nobody is signed in."""
    store = Store.open(shutil.copy(prepared, tmp_path / "wards.db"))
    yield Client(Deployment(store, {BCF: plan(BCF)}, networks={BCF: NETWORK}))
    store.close()


def said(text: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


def step(ward: Client, id: str, name: str, script: bool = False, **form: str) -> Any:
    """Press a button of the board as a page just opened has it."""
    known = ward.store.find(BedDay, book(BCF), f"{id}@{DAY.isoformat()}")
    of_the_day = name in ("review", "team", "day")
    version = (known.version if known else 0) if of_the_day else ward.store.read(Stay, book(BCF), id).version
    headers = {"HX-Request": "true"} if script else {}
    return ward.submit(f"{BASE}/stays/{id}/{name}", {"version": str(version)} | form, headers=headers)


def today(ward: Client, id: str) -> BedDay:
    return ward.store.read(BedDay, book(BCF), f"{id}@{DAY.isoformat()}")


# --- who may see, and who has ---------------------------------------------------------------------------------------------

PAGES = ("wards", "wards/medicine", "wards/medicine?unit=Oak", "stays/a1", "wards/medicine/new")


@pytest.mark.parametrize("role", RIGHTS)
def test_patients_are_seen_by_those_who_care_for_them_and_nobody_else(ward: Client, role: Role) -> None:
    ward.sign_in(role)
    may = role in ("ward team", "flow manager")
    for path in PAGES:
        answer = ward.get(f"{BASE}/{path}")
        assert answer.status_code == (200 if may else 403), path
        assert ("Patient-B2" in answer.text or "Patient-A1" in answer.text) <= may, path
    for path in ("stays/import", "stays/readings", "stays/template.csv"):
        assert ward.get(f"{BASE}/{path}").status_code == (200 if role == "flow manager" else 403), path
    assert bool(readings(ward.store, BCF)) == may
    # Neither the plan's menu, nor its history, nor the API's names them.
    own = ward.get(BASE).text
    assert (f'href="{BASE}/wards"' in own) == may
    step_by = ward.sign_in("ward team")
    step(step_by, "a1", "review")
    ward.sign_in(role)
    for path in (f"{BASE}/changes", f"/api/v1{BASE}/changes", f"{BASE}/changes/stays/a1"):
        assert "Patient-A1" not in ward.get(path).text, path


def test_every_page_about_patients_is_written_down_before_it_is_shown(ward: Client) -> None:
    ward.sign_in("ward team")
    for path in PAGES[:4]:
        check_outline(ward.get(f"{BASE}/{path}").text)
    assert [one.what for one in readings(ward.store, BCF)] == [
        "stay:a1",
        "ward:medicine, Oak",
        "ward:medicine",
        "wards",
    ]
    assert {one.who for one in readings(ward.store, BCF)} == {"ward-team"}
    shown = ward.sign_in("flow manager").get(f"{BASE}/stays/readings")
    check_outline(shown.text)
    assert "ward:medicine, Oak" in shown.text
    assert ward.get(f"{BASE}/wards/none").status_code == 404
    assert ward.get(f"{BASE}/stays/none").status_code == 404
    assert ward.get(f"{BASE}/wards/door").status_code == 404, "the front door has no board round"
    assert ward.get(f"{BASE}/wards/visiting").status_code == 404
    assert len(readings(ward.store, BCF)) == 4, "nothing was shown"


def test_a_plan_without_a_network_says_so(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "none.db")
    bare = Client(Deployment(store, {BCF: plan(BCF)}, networks={})).sign_in("flow manager")
    assert "has no network of care" in bare.get(f"{BASE}/wards").text
    for path in ("wards/medicine", "stays/import", "stays/template.csv"):
        assert bare.get(f"{BASE}/{path}").status_code == 404
    store.close()


# --- what is shown --------------------------------------------------------------------------------------------------------


def test_the_list_of_wards_counts_what_is_so(ward: Client) -> None:
    ward.sign_in("ward team")
    step(ward, "a1", "day", colour="red", reason="transport")
    text = ward.get(f"{BASE}/wards").text
    check_outline(text)
    tiles = dict(re.findall(r'tile__title">(.*?)</p>\s*<p class="bc-tile__figure">(.*?)</p>', text))
    assert tiles == {
        "In beds": "4",
        "Without an expected date": "3",
        "Over 7 nights": "1",
        "Red today": "1",
        "Ready and waiting": "0",
    }
    assert "4 patients have not had a senior review today" in said(text)
    assert re.findall(r'href="(/plans/[^"]*/wards/[^"]*)"', text) == [f"{BASE}/wards/amu", f"{BASE}/wards/medicine?unit=Elm", f"{BASE}/wards/medicine?unit=Oak"]  # fmt: skip
    assert re.search(r"Care home outside the hospital 1 .*Transport 1 ", said(text))
    assert re.search(r"Medicine 13 2 0 11 ", said(text)), "bed days, red, held, not marked"


def test_the_board_shows_each_patient_and_what_to_ask(ward: Client) -> None:
    ward.sign_in("ward team")
    text = ward.get(f"{BASE}/wards/medicine").text
    check_outline(text)
    words = said(text)
    assert re.findall(r"id=\"stay-(..)\"", text) == ["b2", "a1", "c3"], "by unit, then bed"
    assert "Board round, Sunday 31 January 2016, 11:00" in words
    assert "0 of 3" in words
    assert "28 January, 3 days ago" in words
    assert "Red again: care home" in words
    assert "Expected 3 days ago. What has changed" in words
    oak = said(ward.get(f"{BASE}/wards/medicine?unit=Oak").text)
    assert "2 patients" in oak
    assert "Patient-B2" not in oak
    assert "0 patients" in said(ward.get(f"{BASE}/wards/medicine?unit={EVIL}").text)
    assert "<x-evil" not in ward.get(f"{BASE}/wards/medicine?unit={EVIL}").text


def test_one_who_only_looks_is_offered_nothing_to_press(ward: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RIGHTS, "viewer", frozenset({"read", "wards"}))  # type: ignore[arg-type]
    ward.sign_in("viewer")
    for path in PAGES[:4]:
        text = ward.get(f"{BASE}/{path}").text
        assert not re.findall(r"<form|<button", text.split("<main", 1)[1]), path
    assert step(ward, "a1", "review").status_code == 403


# --- marking --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [False, True])
def test_a_board_round_from_coming_to_leaving(ward: Client, script: bool) -> None:
    ward.sign_in("ward team")
    status = 200 if script else 303

    def press(name: str, **form: str) -> Any:
        answer = step(ward, "c3", name, script, **form)
        assert answer.status_code == status, said(answer.text)
        return answer

    answer = press("review")
    assert today(ward, "c3").reviewed == NOW
    if script:
        assert answer.text.strip().startswith('<li class="bc-patient')
        assert answer.text.count('class="bc-patient ') == 1
        assert answer.text.count('hx-swap-oob="true"') == 4
        assert "1 of 3" in said(answer.text)
        assert "C3 was reviewed at 11:00." in answer.text
    else:
        assert answer.headers["location"] == f"{BASE}/wards/medicine#stay-c3"
        assert "C3 was reviewed at 11:00." in ward.get(f"{BASE}/wards/medicine").text
    press("review", undo="yes")
    press("review", time="09:40")
    press("team")
    press("day", colour="red", reason="transport")
    press("day", colour="red", reason="other", note="The lift is broken")
    day = today(ward, "c3")
    assert (day.reviewed, day.team_review, day.colour, day.reason, day.note) == (
        at(DAY, time(9, 40)),
        True,
        "red",
        "other",
        "The lift is broken",
    )
    press("day", colour="green")
    assert today(ward, "c3").reason == ""
    press("plan", expected_discharge="2016-02-02", criteria="Walks")
    press("ready", to="home", time="10:30")
    one = ward.store.read(Stay, book(BCF), "c3")
    assert (one.expected_discharge, one.criteria, one.ready_since, one.waiting_for) == (
        date(2016, 2, 2),
        "Walks",
        at(DAY, time(10, 30)),
        "home",
    )
    press("ready", undo="yes")
    left = press("left", to="home", unit="Oak")
    assert [stay.id for stay in present(ward.store, BCF, "medicine")] == ["b2", "a1"]
    if script:
        assert "left at 11:00 to Home" in said(left.text)
        assert "1 patient" in said(left.text), "of the unit that was shown"
    shown = ward.get(f"{BASE}/stays/c3").text
    check_outline(shown)
    assert "Put back on the ward" in shown
    press("back")
    assert ward.store.read(Stay, book(BCF), "c3").left is None
    history = ward.store.history(BedDay, book(BCF), f"c3@{DAY.isoformat()}")
    assert [change.version for change in history] == list(range(1, 8))
    assert {change.by for change in history} == {"ward-team"}
    assert ward.store.check() == ()


def test_a_round_does_not_have_the_plan_judged_anew(ward: Client) -> None:
    ward.sign_in("ward team")
    before = ward.deployment.assessment(BCF)
    step(ward, "a1", "review")
    assert ward.deployment.assessment(BCF) is before


WRONG = (
    ("day", {"colour": "red"}, "needs what the patient waited for"),
    ("day", {"colour": "red", "reason": "rain"}, "needs what the patient waited for"),
    ("day", {"colour": EVIL}, "red, green or not marked"),
    ("day", {"colour": "red", "reason": "other"}, "needs a note"),
    ("day", {"colour": "green", "note": "943 476 5919"}, "The note holds an NHS number"),
    ("day", {"colour": "green", "note": "x" * 501}, "longer than 500"),
    ("review", {"time": "11:01"}, "still to come"),
    ("review", {"time": "noon"}, "not a time of day"),
    ("plan", {"expected_discharge": "soon"}, "not a date"),
    ("plan", {"expected_discharge": "9999-12-31"}, "two years away"),
    ("plan", {"criteria": "943 476 5919"}, "hold an NHS number"),
    ("plan", {"criteria": "x" * 1_001}, "longer than 1,000"),
    ("ready", {"to": EVIL}, "do not go to"),
    ("left", {"to": "amu"}, "do not go to"),
    ("left", {"time": "25:00"}, "not a time of day"),
)  # fmt: skip


@pytest.mark.parametrize("script", [False, True])
def test_what_cannot_be_marked_is_said_and_nothing_is_kept(ward: Client, script: bool) -> None:
    ward.sign_in("ward team")
    before = ward.store.revision()
    for name, form, why in WRONG:
        answer = step(ward, "a1", name, script, **form)
        assert answer.status_code == 400, why
        assert why in said(answer.text)
        assert "<x-evil" not in answer.text
        if not script:
            check_outline(answer.text)
            assert "<title>Error: " in answer.text
            assert 'href="#stay-a1"' in answer.text
    assert ward.store.revision() == before


@pytest.mark.parametrize("script", [False, True])
def test_the_second_of_two_who_mark_is_told_and_sees_what_the_first_marked(ward: Client, script: bool) -> None:
    ward.sign_in("flow manager")
    for version in ("0", "1"):
        step(
            ward, "a1", "day", colour="red" if version == "0" else "green", reason="transport" if version == "0" else ""
        )
        headers = {"HX-Request": "true"} if script else {}
        lost = ward.submit(
            f"{BASE}/stays/a1/day", {"version": version, "colour": "red", "reason": "therapy"}, headers=headers
        )
        assert lost.status_code == 409
        assert "flow-manager marked this after your page was opened" in said(lost.text)
        assert ("Red: transport" if version == "0" else "Green") in said(lost.text)
    assert today(ward, "a1").colour == "green"
    assert step(ward, "a1", "left").status_code == 303
    again = ward.submit(f"{BASE}/stays/a1/left", {"version": "1"})
    assert again.status_code == 400
    assert "Patient-A1 left at 11:00" in said(again.text)


def test_odd_requests_are_refused_in_words(ward: Client) -> None:
    ward.sign_in("ward team")
    for path in ("stays/a1/eat", "stays/none/review", "stays/a1/__class__", f"stays/{EVIL}/review", "wards/none/new"):
        assert ward.submit(f"{BASE}/{path}", {"version": "1"}).status_code == 404, path
    for version in ("", "-1", "x", "9" * 30, "١"):
        assert ward.submit(f"{BASE}/stays/a1/left", {"version": version}).status_code == 409, version
    assert ward.get(f"{BASE}/wards/{EVIL}").status_code == 404
    assert "<x-evil" not in ward.get(f"{BASE}/wards/{EVIL}").text


def test_words_of_others_are_never_markup(ward: Client) -> None:
    with ward.store.change(EVIL, EVIL) as changing:
        odd = stay("e5", bed=EVIL[:20], unit=EVIL, criteria=EVIL, came_from=EVIL, ready_since=NOW, waiting_for=EVIL)
        changing.add(odd)
        changing.add(mark(of_day(odd, DAY), "red", "other", EVIL))
        changing.add(gone(stay("f6", unit=EVIL), NOW, EVIL))
    ward.sign_in("flow manager")
    for path in (*PAGES, "stays/e5", "stays/f6", "stays/readings", f"wards/medicine/new?unit={EVIL}"):
        answer = ward.get(f"{BASE}/{path}")
        assert answer.status_code == 200, path
        assert "<x-evil" not in answer.text, path
    assert "<x-evil" not in step(ward, "e5", "review", True).text


def test_a_ward_of_many_shows_some_and_says_so(ward: Client) -> None:
    with ward.store.change("test") as changing:
        changing.add_all(stay(f"m{number}", bed=str(number)) for number in range(10, 80))
    text = ward.sign_in("ward team").get(f"{BASE}/wards/medicine").text
    assert text.count('class="bc-patient ') == 60
    assert "13 more are not shown" in said(text)
    assert "73 patients" in said(text)


def test_a_stay_after_the_data_date_is_not_known_yet(ward: Client) -> None:
    with ward.store.change("test") as changing:
        changing.add(stay("z9", since=NOW + timedelta(days=3)))
    text = ward.sign_in("ward team").get(f"{BASE}/wards/medicine")
    assert text.status_code == 200
    assert "Patient-Z9" not in text.text
    assert ward.get(f"{BASE}/wards").status_code == 200


def test_somebody_who_has_come_is_put_on_the_ward_once(ward: Client) -> None:
    ward.sign_in("ward team")
    check_outline(ward.get(f"{BASE}/wards/amu/new").text)
    form = {"pseudonym": "N7", "patient_class": "medical", "unit": "", "bed": "7", "criteria": ""}
    made = ward.submit(f"{BASE}/wards/amu/new", form)
    assert made.headers["location"].startswith(f"{BASE}/wards/amu#stay-")
    [one] = [stay for stay in present(ward.store, BCF, "amu") if stay.pseudonym == "N7"]
    assert (one.since, one.bed, one.synthetic) == (NOW, "7", False)
    for wrong, why in (
        ({}, "N7 is known to be on Acute medical unit"), ({"pseudonym": "943 476 5919"}, "must not hold an NHS number"),
        ({"pseudonym": "Ann Other"}, "not in the right form"), ({"pseudonym": "O8", "patient_class": "x"}, "from the list"), ({"pseudonym": ""}, "Patient"),
    ):  # fmt: skip
        refused = ward.submit(f"{BASE}/wards/amu/new", form | wrong)
        assert refused.status_code == 400
        assert why in said(refused.text)
    assert len(present(ward.store, BCF, "amu")) == 2


# --- a snapshot -----------------------------------------------------------------------------------------------------------

HEAD = "patient,ward,unit,bed,class,since,admitted,expected_discharge,criteria,ready_since,waiting_for\n"


def send(client: Client, /, rows: str, name: str = "stays.csv", **form: str) -> Any:
    return client.submit(f"{BASE}/stays/import", form, files={"file": (name, (HEAD + rows).encode(), "text/csv")})


def test_a_snapshot_is_shown_and_then_taken_in(ward: Client) -> None:
    ward.sign_in("flow manager")
    check_outline(ward.get(f"{BASE}/stays/import").text)
    rows = "Patient-A1,medicine,Oak,1,frail,2016-01-29T14:00,,2016-02-03,,,\nPatient-D4,medicine,,9,frail,2016-01-31T09:00,,,,,\nN7,amu,,2,medical,2016-01-31T08:00,,,,,\n"
    before = ward.store.revision()
    shown = send(ward, rows)
    check_outline(shown.text)
    assert "1 came, 1 moved to another ward, 1 with something new, 2 left. Take it in?" in said(shown.text)
    assert "2 who are not in the file will be marked as left" in said(shown.text)
    assert [one.purpose for one in readings(ward.store, BCF)] == ["What a snapshot would change"]
    assert ward.store.revision() == before
    sent = {
        name: unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(ward|at|rows)" value="([^"]*)"', shown.text)
    }
    done = ward.submit(f"{BASE}/stays/import", sent)
    assert done.status_code == 303
    assert {one.pseudonym for one in present(ward.store, BCF)} == {"Patient-A1", "Patient-D4", "N7"}
    assert "There is nothing to store" in said(send(ward, rows).text)
    # Of one ward alone, nobody elsewhere leaves.
    assert "2 who are" in said(send(ward, "N7,amu,,2,medical,2016-01-31T08:00,,,,,\n").text)
    assert "There is nothing to store" in said(send(ward, "N7,amu,,2,medical,2016-01-31T08:00,,,,,\n", ward="amu").text)


REFUSED = (
    ("943 476 5919,amu,,,frail,2016-01-30T10:00,,,,,\n", "stays.csv", {}, "holds an NHS number"),
    ("", "stays.csv", {}, "There is nobody in the file"),
    (f'"{EVIL.replace(chr(34), chr(34) * 2)}",x,,,y,z,,,,,\n', f"{EVIL}.csv", {}, "cannot be a pseudonym"),
    ("Patient-A1,amu,,,frail,2016-01-30T10:00,,,,,\n", "943 476 5919.xlsx", {}, "read from .csv files"),
    ("Patient-A1,amu,,,frail,2016-01-30T10:00,,,,,\n", "stays.csv", {"at": "2016-02-01T10:00"}, "from the future"),
    ("Patient-A1,amu,,,frail,2016-01-30T10:00,,,,,\n", "stays.csv", {"at": "2016-01-01T10:00"}, "more than a week old"),
    ("Patient-A1,amu,,,frail,2016-01-30T10:00,,,,,\n", "stays.csv", {"at": "0001-01-01T00:00"}, "more than a week old"),
    ("Patient-A1,amu,,,frail,2016-01-30T10:00,,,,,\n", "stays.csv", {"at": EVIL}, "is not a time"),
    ("Patient-A1,amu,,,frail,2016-01-30T10:00,,,,,\n", "stays.csv", {"ward": EVIL}, "There is no ward"),
    ("Patient-A1,amu,,,frail,2016-01-20T10:00,,,,,\n", "stays.csv", {}, "Patient-A1 is known to have come to another ward"),
)  # fmt: skip


def test_a_snapshot_that_cannot_be_taken_is_refused_whole(ward: Client) -> None:
    ward.sign_in("flow manager")
    before = ward.store.revision()
    for rows, name, form, why in REFUSED:
        refused = send(ward, rows, name, **form)
        assert refused.status_code == 400, why
        check_outline(refused.text)
        assert why in said(refused.text)
        assert "<x-evil" not in refused.text
        assert "5919" not in refused.text
    assert ward.store.revision() == before


def test_no_file_and_a_hidden_field_made_up_are_refused_too(ward: Client) -> None:
    ward.sign_in("flow manager")
    assert "Choose a file" in ward.submit(f"{BASE}/stays/import").text
    assert ward.submit(f"{BASE}/stays/import", {"rows": "943 476 5919"}).status_code == 400
    template = ward.get(f"{BASE}/stays/template.csv")
    assert template.headers["content-disposition"] == f'attachment; filename="{BCF}-stays.csv"'
    assert template.text.startswith(HEAD)


# --- for programs ---------------------------------------------------------------------------------------------------------

API = f"/api/v1{BASE}/wards"


def push(client: Client, rows: str, **form: str) -> Any:
    file = {"file": ("stays.csv", (HEAD + rows).encode(), "text/csv")}
    return client.post(f"{API}/snapshot", data=form, files=file, headers={"X-CSRF-Token": client.csrf})


def test_a_program_reads_the_wards_as_the_pages_have_them_and_that_is_written_down(ward: Client) -> None:
    ward.sign_in("ward team")
    found = ward.get(API).json()
    assert [(one["id"], one["unit"], one["beds"], one["today"]["here"]) for one in found["wards"]] == [
        ("amu", "", 12, 1), ("medicine", "Elm", 24, 1), ("medicine", "Oak", 24, 2),
    ]  # fmt: skip
    assert found["whole"]["here"] == 4
    assert found["whole"]["planned"] == {"count": 1, "of": 4}
    (red,) = ward.get(f"{API}/red-days").json()
    assert (red["reason"], red["days"], red["outside"]) == ("care home", 1, True)
    part = ward.get(f"{API}/stays?ward=medicine&limit=2").json()
    assert ([one["pseudonym"] for one in part["rows"]], part["next"]) == (["Patient-B2", "Patient-A1"], 2)
    assert ward.get(f"{API}/stays?ward=door").status_code == 404
    seen = [(one.what, one.who) for one in readings(ward.store, BCF)]
    assert seen == [("ward:medicine", "ward-team"), ("wards", "ward-team"), ("wards", "ward-team")]


def test_a_program_takes_in_a_snapshot_or_only_looks_at_it(ward: Client) -> None:
    ward.sign_in("flow manager")
    rows = "Patient-A1,medicine,Oak,1,frail,2016-01-29T14:00,,2016-02-03,,,\nN7,amu,,2,medical,2016-01-31T08:00,,,,,\n"
    looked = push(ward, rows, look="true").json()
    assert (looked["stored"], present(ward.store, BCF)[0].pseudonym, len(present(ward.store, BCF))) == (
        False,
        "Patient-D4",
        4,
    )
    assert [one.purpose for one in readings(ward.store, BCF)] == ["What a snapshot changes"]
    assert "criteria" not in looked["left"][0]
    taken = push(ward, rows).json()
    for found in (looked, taken):
        assert {name: [one["pseudonym"] for one in found[name]] for name in ("came", "moved", "changed", "left")} == {
            "came": ["N7"], "moved": [], "changed": ["Patient-A1"], "left": ["Patient-D4", "Patient-B2", "Patient-C3"],
        }  # fmt: skip
    assert {one.pseudonym for one in present(ward.store, BCF)} == {"Patient-A1", "N7"}
    assert not any(push(ward, rows).json()[name] for name in ("came", "moved", "changed", "left"))
    # Of one ward alone, nobody elsewhere leaves.
    alone = push(ward, "N7,amu,,3,medical,2016-01-31T08:00,,,,,\n", ward="amu").json()
    assert ([one["bed"] for one in alone["changed"]], alone["left"]) == (["3"], [])


def test_a_program_is_told_every_fault_of_a_snapshot_and_nothing_is_taken(ward: Client) -> None:
    ward.sign_in("flow manager")
    faulty = push(ward, "943 476 5919,amu,,,frail,2016-01-30T10:00,,,,,\nB,none,,,frail,yesterday,,,,,\n")
    assert faulty.status_code == 400
    said_of = faulty.json()["error"]["faults"]
    assert len(said_of) == 3
    assert "5919" not in faulty.text
    good = "Patient-A1,amu,,,frail,2016-01-30T10:00,,,,,\n"
    for form, status, why in (
        ({"ward": "none"}, 404, "There is no ward"), ({"ward": "943 476 5919"}, 404, "'(number)'"), ({"wards": "amu"}, 422, "not permitted"), ({"at": "soon"}, 400, "is not a time"), ({"at": "2016-03-01T10:00"}, 400, "from the future"),
    ):  # fmt: skip
        refused = push(ward, good, **form)
        assert (refused.status_code, why in refused.text) == (status, True)
    ward.sign_in("ward team")
    assert push(ward, good).status_code == 403
    ward.sign_in("viewer")
    for path in ("", "/stays", "/red-days"):
        assert ward.get(API + path).status_code == 403
    assert {one.pseudonym for one in present(ward.store, BCF)} == {
        "Patient-A1",
        "Patient-B2",
        "Patient-C3",
        "Patient-D4",
    }


# --- the demonstration ----------------------------------------------------------------------------------------------------


def test_the_demonstration_has_a_day_on_the_wards_and_says_it_is_invented(demo: Client) -> None:
    stays = present(demo.store, LLR)
    assert len(stays) > 40
    assert all(one.synthetic for one in stays)
    assert all(day.synthetic for day in demo.store.list(BedDay, book(LLR)))
    demo.sign_in("ward team")
    text = demo.get(f"/plans/{LLR}/wards").text
    check_outline(text)
    assert "Everybody counted here is invented" in text
    for href in re.findall(rf'href="(/plans/{LLR}/wards/[^"]*unit=[^"]*)"', text):
        board = demo.get(unescape(href)).text
        check_outline(board)
        assert "Everybody shown here is invented" in board
        assert len(board) < 400_000
    assert 'nhsuk-tag--grey bc-invented">Synthetic' in demo.get(f"/plans/{LLR}/stays/{stays[0].id}").text


def test_the_demonstration_is_the_same_every_time_and_any_network_will_do() -> None:
    assert list(ward_day(NETWORK, BCF, DAY)) == list(ward_day(NETWORK, BCF, DAY)) == []
    routes = (Route("door", "medical", "amu", 1), *NETWORK.routes)
    reached = replace(NETWORK, routes=routes, arrivals=(Arrival("walk", "medical", "door", 10),))
    rows = list(ward_day(reached, BCF, DAY))
    assert {row.station for row in rows if isinstance(row, Stay)} == {"amu", "medicine"}
    assert rows == list(ward_day(reached, BCF, DAY))
