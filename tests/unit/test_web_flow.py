"""The pages of patient flow: work behind the pages, what is kept of it, who may see what, and refusals in words."""

from __future__ import annotations

import io
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from datetime import time as clock
from html import unescape
from pathlib import Path
from typing import Any, Literal

import pytest
from click.testing import CliRunner

from bettercare.assurance.programme import Programme
from bettercare.care.readings import readings
from bettercare.care.stays import Stay, at, book
from bettercare.cli import main
from bettercare.errors import BettercareError
from bettercare.flow.network import (
    Arrival,
    Change,
    Clock,
    Distribution,
    Network,
    Outcome,
    PatientClass,
    Profile,
    Route,
    Scenario,
    Service,
    Station,
)
from bettercare.flow.network_file import write_network
from bettercare.flow.now import Now
from bettercare.plan import shipped
from bettercare.store import Store
from bettercare.web.flow_jobs import FlowJob, FlowJobs, fingerprint
from bettercare.web.flow_run import FlowAsked, FlowOrder, Kept, forecast, simulated
from bettercare.web.state import Deployment, Settings
from demo_client import check_outline
from web_client import BCF, LLR, Client, plan

EVIL = """'"><x-evil onload="1">&lt;"""
BASE = f"/plans/{BCF}/flow"
API = f"/api/v1/plans/{BCF}/flow"
DAY = date(2016, 1, 31)
NHS_NUMBER = "943 476 5919"
NETWORK = Network(
    "small", f"A small hospital {EVIL}", date(2016, 1, 4), 14, 7,
    classes=(PatientClass("frail", f"Frail {EVIL}"), PatientClass("medical", "Medical")),
    arrivals=(Arrival("falls", "frail", "door", per_day=9, title=f"Falls {EVIL}"), Arrival("calls", "medical", "door", per_day=12)),
    services=(
        Service("door", "any", Distribution("lognormal", "minutes", mean=90, sd=60)),
        Service("medicine", "any", Distribution("lognormal", "days", mean=2, sd=2)),
        Service("home-care", "any", Distribution("exponential", "days", mean=4)),
    ),
    stations=(
        Station("door", f"Front door {EVIL}", "emergency", servers=4, holds=True),
        Station("medicine", "Medicine", "ward", servers=24, queue=0, holds=True, leaves_on="leaving"),
        Station("home-care", "Care at home", "home", servers=-1),
    ),
    routes=(
        Route("door", "frail", "medicine", 0.6), Route("door", "frail", "home", 0.4), Route("door", "medical", "medicine", 0.3),
        Route("door", "medical", "home", 0.7), Route("medicine", "any", "home", 0.8), Route("medicine", "any", "home-care", 0.2),
        Route("home-care", "any", "home", 1),
    ),
    profiles=(Profile("leaving", weekdays=(1, 1, 1, 1, 1, 0.5, 0.5)),), outcomes=(Outcome("home", "Home"),),
    clocks=(Clock("four-hour", "Time in the department", ("door",), (4.0,)),),
    scenarios=(Scenario("more-beds", f"More beds {EVIL}", (Change("servers", "medicine", add=6),)), Scenario("longer", "Longer stays", (Change("service", "medicine", times=1.2),))),
    plan=BCF, replications=4,
)  # fmt: skip
PAGES = ("", "/run", "/compare", "/day", "/calibration", "/forecast", "/promises", "/now")


def text(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def quiet(*_: Any) -> None:
    pass


def over(jobs: FlowJobs, id: str) -> FlowJob:
    for _ in range(1200):
        if (job := jobs.job(BCF, id)).over:
            return job
        time.sleep(0.05)
    raise AssertionError(f"still {job.state}: {job.what}")


def put(jobs: FlowJobs, id: str, asked: FlowAsked, kept: Kept, by: str = "ann", **more: Any) -> FlowJob:
    """Keep an answer as if a process had made it."""
    job = FlowJob(id, BCF, asked, by, "2026-01-01T00:00:00.000000+00:00", "done", network=fingerprint(NETWORK), **more)
    place = jobs._place(BCF, id, "kept")
    place.parent.mkdir(parents=True, exist_ok=True)
    kept.write(place)
    jobs._write(job)
    return job


def run_of(scenario: str) -> Kept:
    return simulated(FlowOrder(plan(BCF), NETWORK, FlowAsked("run", 4, 1, scenario), Path()), 1, quiet)


@pytest.fixture(scope="module")
def answers() -> dict[str, Kept]:
    """A run of the network as it is, and of a scenario."""
    return {scenario: run_of(scenario) for scenario in ("", "more-beds")}


@pytest.fixture
def flow(tmp_path: Path) -> Iterator[Client]:
    """A server whose plan has the small network; nobody is signed in, nothing is kept."""
    store = Store.open(tmp_path / "flow.db")
    deployment = Deployment(store, {BCF: plan(BCF)}, Settings(folder=tmp_path / "runs"), networks={BCF: NETWORK})
    with store.change("test") as changing:
        changing.replace(store.read(Programme, BCF, BCF).model_copy(update={"as_at": DAY}))
    yield Client(deployment)
    deployment.flow_jobs.close()
    store.close()


@pytest.fixture
def shown(flow: Client, answers: dict[str, Kept]) -> Client:
    """The same with two runs kept."""
    jobs = flow.deployment.flow_jobs
    put(jobs, "base1", FlowAsked("run", 4, 1), answers[""])
    put(jobs, "beds1", FlowAsked("run", 4, 1, "more-beds"), answers["more-beds"])
    return flow.sign_in("viewer")


# --- without anything ------------------------------------------------------------------------------------------------------


def test_a_plan_without_a_network_says_so_and_how_to_give_it_one(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "none.db")
    bare = Client(Deployment(store, {BCF: plan(BCF)}, networks={})).sign_in("flow manager")
    for path in PAGES:
        answer = bare.get(BASE + path)
        assert answer.status_code == 200
        assert "has no network of care" in answer.text
        assert "flow/network.yaml" in answer.text
        check_outline(answer.text)
    for path in ("/stations/door", "/jobs/none", "/now/template.csv"):
        assert bare.get(BASE + path).status_code == 404
    for path in ("/run", "/compare", "/calibration", "/forecast", "/promises", "/now", "/now/forecast"):
        assert bare.submit(BASE + path, {"replications": "4", "seed": "1"}).status_code == 404
    for path in ("", "/stations", "/table", "/forecast", "/promises", "/runs", "/runs/none"):
        assert bare.get(API + path).status_code == 404
    store.close()


def test_pages_say_that_nothing_has_been_run(flow: Client) -> None:
    flow.sign_in("viewer")
    for path in ("/day", "/stations/door"):
        assert "Nothing has been simulated yet" in text(flow.get(BASE + path).text)
    assert "has no targets" in text(flow.get(f"{BASE}/calibration").text)
    assert flow.submit(f"{BASE}/calibration", {"replications": "4", "seed": "1"}).status_code == 400
    assert flow.get(f"{API}/stations").json()[0]["occupancy"] is None
    assert flow.get(f"{API}/table").status_code == flow.get(f"{API}/forecast").status_code == 404
    assert flow.deployment.flow_jobs.recent(BCF) == []


def test_a_plan_of_ones_own_is_served_with_the_network_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Deployment] = []
    monkeypatch.setattr("bettercare.web.app.create_app", served.append)
    for name in (BCF, LLR):
        shutil.copytree(shipped()[name], tmp_path / name, ignore=shutil.ignore_patterns("flow"))
    (tmp_path / BCF / "flow").mkdir()
    file = write_network(NETWORK, tmp_path / BCF / "flow" / "network.yaml")
    (file.parent / "twin.yaml").write_text("promises: []")
    words = ["serve", str(tmp_path / BCF), str(tmp_path / LLR), "--prepare", "--store"]
    shown = CliRunner().invoke(main, [*words, str(tmp_path / "own.db")])
    assert shown.exit_code == 0, shown.output
    assert served[0].network(BCF) == NETWORK
    assert served[0].twin(BCF) == file.parent / "twin.yaml"
    assert served[0].network(LLR) is None, "the folder has none, and the shipped one is another plan's"
    for name in ("network.yaml", "twin.yaml"):
        shutil.copy(file.with_name(name), tmp_path / LLR)
    with pytest.raises(BettercareError, match=r"no twin\.yaml"):
        served[0].twin(LLR)
    # One with faults is refused with them, as a plan is, before anything is made.
    file.write_text(file.read_text().replace("days: 14", "days: 0"))
    shown = CliRunner().invoke(main, [*words, str(tmp_path / "none.db")])
    assert shown.exit_code == 2
    assert "network.yaml" in shown.output
    assert not (tmp_path / "none.db").exists()


# --- in the background -----------------------------------------------------------------------------------------------------


def test_a_first_look_is_made_shown_and_kept(flow: Client) -> None:
    flow.sign_in("viewer")
    waiting = flow.get(BASE).text
    check_outline(waiting)
    assert 'hx-trigger="every 1s"' in waiting
    assert '<noscript><meta http-equiv="refresh"' in waiting
    assert "4 places" in waiting
    jobs = flow.deployment.flow_jobs
    (job,) = jobs.recent(BCF)
    address = f"{BASE}/jobs/{job.id}"
    flow.get(BASE)
    assert len(jobs.recent(BCF)) == 1, "asked for once"
    assert flow.get(f"{address}/report.html").status_code == (404 if not jobs.job(BCF, job.id).over else 200)
    job = over(jobs, job.id)
    assert (job.state, job.done, job.of, job.by) == ("done", 20, 20, "bettercare"), job.fault
    assert flow.get(f"{address}/progress").headers["hx-refresh"] == "true"
    page = flow.get(BASE).text
    check_outline(page)
    assert "<x-evil" not in page
    said = text(page)
    assert "Simulated, not measured" in said
    assert "95% interval" in said
    assert page.count("<svg") >= 2
    assert f'href="{BASE}/stations/medicine"' in page
    assert flow.get(f"{address}/report.html").headers["content-disposition"].startswith("attachment;")
    assert flow.get(f"{address}/report.xlsx").content[:2] == b"PK"
    # The next server still has it; a changed network does not pass for it.
    again = FlowJobs(flow.deployment.settings.folder, flow.deployment.twin)
    assert again.last(plan(BCF), NETWORK, "run") == job
    assert again.kept(job).document.verdict == jobs.kept(job).document.verdict
    assert again.last(plan(BCF), replace(NETWORK, days=15), "run") is None


def test_work_that_fails_or_is_lost_says_why(flow: Client, answers: dict[str, Kept]) -> None:
    flow.sign_in("viewer")
    jobs = flow.deployment.flow_jobs
    job = put(jobs, "lost1", FlowAsked("run", 4, 9), answers[""])
    jobs._write(replace(job, state="running"))
    assert jobs.job(BCF, "lost1").state == "lost"
    assert "restarted before the run was done" in text(flow.get(f"{BASE}/jobs/lost1").text)
    crowded = replace(NETWORK, scenarios=(Scenario("none", "None", (Change("servers", "nowhere", add=1),)),))
    failed = over(jobs, jobs.start(plan(BCF), crowded, FlowAsked("run", 2, 1, "none"), "ann").id)
    assert failed.state == "failed"
    assert "nowhere" in failed.fault
    assert "could not be made" in text(flow.get(f"{BASE}/jobs/{failed.id}").text)
    put(jobs, "stale", FlowAsked("run", 4, 8), answers[""])
    jobs._place(BCF, "stale", "kept").write_bytes(b"not what it was")
    assert flow.get(f"{BASE}/jobs/stale").status_code == 404


def test_tested_promises_are_of_the_plan_and_of_what_joins_it_to_the_network(
    flow: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: dict[str, Kept]
) -> None:
    twin = tmp_path / "twin.yaml"
    twin.write_text("one")
    jobs, its = flow.deployment.flow_jobs, plan(BCF)
    monkeypatch.setattr(jobs, "_twin", lambda _: twin)
    job = put(jobs, "told1", FlowAsked("promises", 4, 1), answers[""])
    jobs._write(job := replace(job, network=jobs.mark(its, NETWORK, "promises")))
    assert jobs.last(its, NETWORK, "promises") == job
    other = replace(its, header=dict(its.header) | {"title": "Another"})
    assert jobs.last(other, NETWORK, "promises") is None
    assert jobs.mark(other, NETWORK, "run") == jobs.mark(its, NETWORK, "run"), "a run is of the network alone"
    twin.write_text("two")
    assert jobs.last(its, NETWORK, "promises") is None
    flow.sign_in("viewer")
    assert "with the plan and network as they were then" in text(flow.get(f"{BASE}/run").text)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"replications": "many", "seed": "1"}, "The number of replications is not a whole number"),
        ({"replications": "1", "seed": "1"}, "replications cannot be made"),
        ({"replications": "501", "seed": "1"}, "Ask for 2 to 500"),
        ({"replications": "4", "seed": "-1"}, "The seed is not a whole number"),
        ({"replications": "4", "seed": "1", "scenario": EVIL}, "has no scenario"),
        ({"replications": "NaN", "seed": ""}, "not a whole number"),
    ],
)
def test_what_cannot_be_run_is_said_on_the_form(flow: Client, form: dict[str, object], said: str) -> None:
    flow.sign_in("viewer")
    for path, own in (("run", form), ("compare", {"scenario": "more-beds"} | form)):
        response = flow.submit(f"{BASE}/{path}", own)
        assert response.status_code == 400
        assert said in text(response.text)
        assert "<x-evil" not in response.text
        check_outline(response.text)
    assert "No scenario is chosen" in flow.submit(f"{BASE}/compare", {"replications": "4", "seed": "1"}).text
    assert flow.deployment.flow_jobs.recent(BCF) == []


# --- what is shown ---------------------------------------------------------------------------------------------------------


def test_every_page_is_well_made_and_escapes_what_it_is_told(shown: Client) -> None:
    for path in (
        "", "/run", "/compare?scenario=more-beds&replications=4&seed=1", "/day?weekday=Sunday&hour=0", "/calibration", "/forecast", "/promises",
        "/stations/door", "/stations/medicine", "/stations/home-care", "/stations/medicine?run=beds1", "/jobs/base1",
    ):  # fmt: skip
        answer = shown.get(BASE + path)
        assert answer.status_code == 200, path
        check_outline(answer.text)
        assert "<x-evil" not in answer.text, path


def test_a_station_shows_its_load_its_ways_on_and_what_they_rest_on(shown: Client, answers: dict[str, Kept]) -> None:
    said = text(shown.get(f"{BASE}/stations/medicine").text)
    result = answers[""].result
    assert result
    occupancy = result.estimate("occupancy", "medicine").mean
    assert f"{100 * occupancy:.1f}".removesuffix(".0") in said
    assert "mean 2.0 days, lognormal" in said or "mean 48.0 hours, lognormal" in said
    assert "Care at home" in said
    assert "assumed" in said
    more = text(shown.get(f"{BASE}/stations/medicine?run=beds1").text)
    assert "30 places" in more
    assert more != said
    for path in (
        "stations/none",
        f"stations/{EVIL}",
        "stations/door?run=none",
        "day?hour=24",
        "day?weekday=Someday",
        "day?hour=x",
    ):
        assert shown.get(f"{BASE}/{path}").status_code == 404, path


def test_a_day_is_stepped_through_without_scripts(shown: Client, answers: dict[str, Kept]) -> None:
    page = shown.get(f"{BASE}/day?weekday=Tuesday&hour=8").text
    assert "weekday=Tuesday&amp;hour=9" in page
    assert "weekday=Tuesday&amp;hour=7" in page
    result = answers[""].result
    assert result
    week = result.by_hour().filter(station="medicine", hour_of_week=24 + 8)
    row = re.search(r"Medicine ([\d.]+) 24 ", text(page[page.index('id="hour"') :]))
    assert row
    assert float(row[1]) == pytest.approx(week["occupied"][0], abs=0.5)
    assert "hour=24" not in shown.get(f"{BASE}/day?hour=23").text


def test_scenarios_are_set_side_by_side_when_their_runs_are_kept(shown: Client) -> None:
    both = "scenario=more-beds&replications=4&seed=1"
    page = shown.get(f"{BASE}/compare?{both}").text
    assert "Each" in text(page)
    assert "More beds" in text(page)
    assert "differences" in page
    missing = text(shown.get(f"{BASE}/compare?{both}&scenario=longer").text)
    assert "Not kept: Longer stays" in missing
    assert "Not kept" in text(shown.get(f"{BASE}/compare?{both}9").text)


# --- now, and the next hours -----------------------------------------------------------------------------------------------


def stays(client: Client) -> None:
    with client.store.change("test") as changing:
        for number in range(3):
            changing.add(
                Stay.model_validate(
                    {
                        "plan": book(BCF), "id": f"s{number}", "pseudonym": f"Patient-{number}", "station": "medicine", "patient_class": "frail",
                        "since": at(date(2016, 1, 29), clock(14)), "synthetic": number == 0,
                    }
                )
            )  # fmt: skip


def test_the_state_now_is_for_those_who_may_see_the_wards_and_is_written_down(flow: Client) -> None:
    stays(flow)
    flow.sign_in("viewer")
    assert flow.get(f"{BASE}/now").status_code == 403
    assert f'href="{BASE}/now"' not in flow.get(f"{BASE}/forecast").text
    assert flow.submit(f"{BASE}/now/forecast", {"state": "wards"}).status_code == 403
    assert readings(flow.store, BCF) == ()
    flow.sign_in("ward team")
    page = flow.get(f"{BASE}/now")
    check_outline(page.text)
    said = text(page.text)
    assert "Medicine 3 24 21 12.5% 0 0" in said
    assert "Nobody is known at 2 of 3 stations" in said
    assert "Synthetic" in said
    assert "Patient-1" not in page.text
    assert [one.what for one in readings(flow.store, BCF)] == ["wards"]


def test_a_first_forecast_from_an_invented_state_is_made_once(flow: Client) -> None:
    flow.sign_in("viewer")
    page = flow.get(f"{BASE}/forecast").text
    check_outline(page)
    assert "A first forecast is being made, from an invented state: 72 hours, 200 futures." in text(page)
    jobs = flow.deployment.flow_jobs
    (first,) = jobs.recent(BCF, "forecast")
    assert (first.asked.state, first.by) == ("invented", "bettercare")
    flow.get(f"{BASE}/forecast")
    assert over(jobs, first.id).state == "done"
    page = flow.get(f"{BASE}/forecast").text
    assert "A first forecast" not in page
    assert "the state now is invented" in text(page)
    assert [job.id for job in jobs.recent(BCF, "forecast")] == [first.id]


def upload(client: Client, content: str, to: str = "now", **more: str) -> Any:
    files = {"file": ("now.csv", io.BytesIO(content.encode()), "text/csv")}
    return client.submit(f"{BASE}/{to}", more, files=files)


HEAD = "patient,station,class,since,state\n"


def test_a_file_is_looked_at_and_not_kept(flow: Client, tmp_path: Path) -> None:
    flow.sign_in("flow manager")
    row = "Patient-A,medicine,frail,2016-01-30T09:00,in service\n"
    page = upload(flow, HEAD + row)
    assert page.status_code == 200
    assert "Medicine 1 24 23" in text(page.text)
    check_outline(page.text)
    for content, said in (
        (HEAD + row + row, "row 3"), (HEAD + f"{NHS_NUMBER},medicine,frail,2016-01-30T09:00,in service\n", "NHS number"),
        (HEAD + "A,nowhere,frail,2016-01-30T09:00,in service\n", "nowhere"), ("", "."), ("\x00\x01", "."), (HEAD + "A,medicine,frail,2017-01-30T09:00,in service\n", "after"),
        (f"{EVIL}\n{EVIL}\n", "."),
    ):  # fmt: skip
        answer = upload(flow, content)
        assert answer.status_code == 400, content
        assert said in text(answer.text)
        assert NHS_NUMBER not in answer.text
        assert "<x-evil" not in answer.text
    assert flow.submit(f"{BASE}/now").status_code == 400
    assert upload(flow, HEAD + row, at="soon").status_code == 400
    template = flow.get(f"{BASE}/now/template.csv").text
    assert "medicine" in template
    assert upload(flow, template).status_code == 200
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"Patient-A" in path.read_bytes()]


def test_a_forecast_is_kept_without_its_patients_and_is_for_those_who_may_see_the_wards(
    flow: Client, tmp_path: Path
) -> None:
    flow.sign_in("flow manager")
    asked = {"state": "file", "replications": "20", "seed": "1", "hours": "24", "beds": "3", "unit": "medicine", "stream": "falls", "fewer": "0.5", "weekend": "yes"}  # fmt: skip
    row = "Patient-A,medicine,frail,2016-01-30T09:00,in service\n"
    sent = upload(flow, HEAD + row, "now/forecast", **asked)
    assert sent.status_code == 303, text(sent.text)[:800]
    jobs = flow.deployment.flow_jobs
    job = over(jobs, sent.headers["location"].rpartition("/")[2])
    assert job.state == "done", job.fault
    assert job.asked.decisions[0] == "Open 3 places at Medicine"
    assert job.asked.decisions[1].startswith("Divert 50% of Falls")
    assert job.asked.decisions[2] == "Weekend discharges at Medicine"
    held = repr(jobs.kept(job)) + repr(jobs.kept(job).tables)
    assert "Patient-A" not in held
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"Patient-A" in path.read_bytes()]
    page = flow.get(f"{BASE}/forecast").text
    check_outline(page)
    assert "<x-evil" not in page
    assert "Nobody is known at 2 of 3 stations" in text(page)
    rows = flow.get(f"{API}/forecast").json()
    assert (rows["state"], rows["synthetic"], rows["hours"]) == ("file", False, 24)
    assert {one["decision"] for one in rows["units"]} == {"", "open-places", "divert", "weekend-discharges"}
    hours = flow.get(f"{API}/forecast/hours?station=medicine&limit=5").json()
    assert (len(hours["rows"]), hours["next"]) == (5, 5)
    assert hours["rows"][0]["hour"] == 1
    assert flow.get(f"{BASE}/jobs/{job.id}").status_code == 200


@pytest.mark.parametrize("state", ["wards", "file"])
def test_a_forecast_that_begins_with_patients_is_hidden_from_those_who_may_not_see_the_wards(
    flow: Client, state: Literal["wards", "file"]
) -> None:
    order = FlowOrder(
        plan(BCF), NETWORK, FlowAsked("forecast", 4, 1, hours=6, state="invented", at="2016-02-03T11:00:00"), Path()
    )
    kept = forecast(order, 1, quiet)
    jobs = flow.deployment.flow_jobs
    put(jobs, "real1", replace(order.asked, state=state, seed=77), kept)
    flow.sign_in("viewer")
    own = ("", "/progress", "/report.html", "/report.xlsx")
    its = [f"{BASE}/jobs/real1{end}" for end in own] + [f"{API}/{end}" for end in ("runs/real1", "forecast", "forecast/hours")]  # fmt: skip
    for path in its:
        assert flow.get(path).status_code == 403, path
    assert flow.submit(f"{BASE}/jobs/real1/cancel").status_code == 403
    assert flow.delete(f"{API}/runs/real1", headers={"X-CSRF-Token": flow.csrf}).status_code == 403
    assert flow.get(f"{API}/runs").json() == []
    for path in ("/forecast", "/run"):
        assert "real1" not in flow.get(BASE + path).text
    # One from an invented state is for everybody, and stands in the other's place.
    put(jobs, "made1", order.asked, kept)
    assert flow.get(f"{API}/forecast").json()["run"] == "made1"
    assert "made1" in flow.get(f"{BASE}/forecast").text
    assert flow.get(f"{BASE}/jobs/made1").status_code == 200
    assert readings(flow.store, BCF) == ()
    flow.sign_in("flow manager")
    for path in its:
        assert flow.get(path).status_code == 200, path
    assert "real1" in flow.get(f"{BASE}/forecast").text
    noted = [(one.who, one.what) for one in readings(flow.store, BCF)]
    # The page, both reports, the forecast and its hours for programs, and the forecast's page: what is shown of the wards is written down.
    assert [what for _, what in noted] == ["wards"] * (6 if state == "wards" else 0)


def test_a_time_zone_is_not_dropped(flow: Client) -> None:
    flow.sign_in("flow manager")
    row = "Patient-A,medicine,frail,2016-01-30T09:00,in service\n"
    assert upload(flow, HEAD + row, at="2016-01-31T08:00").status_code == 200
    for moment in ("2016-01-31T08:00Z", "2016-01-31T08:00+05:00"):
        answer = upload(flow, HEAD + row, at=moment)
        assert answer.status_code == 400
        assert "carries a time zone" in text(answer.text)


def test_an_invented_state_says_that_it_is(flow: Client) -> None:
    order = FlowOrder(
        plan(BCF), NETWORK, FlowAsked("forecast", 10, 1, hours=12, state="invented", at="2016-02-03T11:00:00"), Path()
    )
    kept = forecast(order, 1, quiet)
    assert kept.document.banner.startswith("Synthetic")
    assert kept.tables["now"]["in_service"].sum() > 0
    jobs = flow.deployment.flow_jobs
    put(jobs, "made1", order.asked, kept)
    flow.sign_in("viewer")
    assert "Synthetic" in flow.get(f"{BASE}/forecast").text
    assert flow.get(f"{API}/forecast").json()["synthetic"] is True


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"hours": "0"}, "0 hours cannot be forecast"), ({"hours": "169"}, "Ask for 1 to 168"), ({"hours": "x"}, "not a whole number"),
        ({"beds": "3"}, "No unit is chosen"), ({"beds": "3", "unit": EVIL}, "No unit is chosen"), ({"beds": "0", "unit": "medicine"}, "cannot be opened"),
        ({"beds": "-4", "unit": "medicine"}, "not a whole number"), ({"stream": "nobody"}, "not on the list"), ({"stream": "falls", "fewer": "7"}, "not on the list"),
        ({"scenario": "none"}, "has no scenario"), ({"replications": "1"}, "cannot be made"), ({"beds": "3", "unit": "home-care"}, "unlimited"),
        ({"beds": "1", "unit": "medicine", "stream": "falls", "fewer": "0", "weekend": "1", "scenario": ["more-beds", "longer"]}, "too many to compare"),
    ],
)  # fmt: skip
def test_decisions_that_cannot_be_made_are_said(flow: Client, form: dict[str, object], said: str) -> None:
    flow.sign_in("viewer")
    answer = flow.submit(f"{BASE}/forecast", {"hours": "24", "replications": "20", "seed": "1"} | form)
    assert answer.status_code == 400
    assert said in text(answer.text)
    assert not re.search(r"There is a problem (\w+)?:", text(answer.text))  # the name of a field is for programs
    assert "<x-evil" not in answer.text
    assert flow.deployment.flow_jobs.recent(BCF) == []


def test_nobody_on_the_wards_is_no_beginning(flow: Client) -> None:
    flow.sign_in("flow manager")
    answer = flow.submit(f"{BASE}/now/forecast", {"state": "wards", "hours": "24", "replications": "20", "seed": "1"})
    assert answer.status_code == 400
    assert "nothing to begin from" in text(answer.text)


def test_a_state_is_never_known_again_by_its_name(flow: Client) -> None:
    jobs = flow.deployment.flow_jobs
    jobs._busy = True  # Nothing is worked on.
    now = Now.of([], NETWORK, datetime(2016, 1, 31, 11))
    asked = FlowAsked("forecast", 20, 1, hours=24, state="file", at="2016-01-31T11:00:00")
    assert (
        jobs.start(plan(BCF), NETWORK, asked, "a", now=now).id != jobs.start(plan(BCF), NETWORK, asked, "a", now=now).id
    )


# --- for programs ----------------------------------------------------------------------------------------------------------


def test_the_api_gives_the_same_figures(shown: Client, answers: dict[str, Kept]) -> None:
    result = answers[""].result
    assert result
    about = shown.get(API).json()
    assert (about["id"], about["run"], about["fingerprint"]) == ("small", "base1", fingerprint(NETWORK))
    assert about["headlines"]
    door, medicine, home = shown.get(f"{API}/stations").json()
    assert medicine["occupancy"] == pytest.approx(result.estimate("occupancy", "medicine").mean)
    assert (home["occupancy"], home["limited"], door["holds"]) == (None, False, True)
    part = shown.get(f"{API}/table?limit=3").json()
    assert [one["measure"] for one in part["rows"]] == ["patients", "mean", "q50"]
    assert part["next"] == 3
    assert shown.get(f"{API}/table?run=none").status_code == 404
    assert {one["id"] for one in shown.get(f"{API}/runs").json()} == {"base1", "beds1"}
    assert shown.get(f"{API}/runs/base1").json()["asked"]["kind"] == "run"
    assert shown.get(f"{API}/promises").status_code == 404


def test_a_program_asks_for_a_run_and_stops_it(shown: Client) -> None:
    shown.deployment.flow_jobs._busy = True  # Nothing is worked on.
    headers = {"X-CSRF-Token": shown.csrf}
    asked = shown.post(f"{API}/runs", json={"replications": 5, "seed": 3}, headers=headers)
    assert asked.status_code == 202
    run = asked.json()["id"]
    assert shown.post(f"{API}/runs", json={"scenario": "none"}, headers=headers).status_code == 400
    assert shown.post(f"{API}/runs", json={"replications": 10**6}, headers=headers).status_code == 422
    assert shown.delete(f"{API}/runs/{run}", headers=headers).status_code == 204
    assert shown.get(f"{API}/runs/{run}").json()["state"] == "cancelled"
    assert shown.delete(f"{API}/runs/{run}", headers=headers).status_code == 400


def test_a_program_sends_who_is_where_and_reads_every_unit(flow: Client) -> None:
    flow.sign_in("flow manager")
    headers = {"X-CSRF-Token": flow.csrf}
    rows = (
        HEAD
        + "p1,medicine,frail,2016-01-30T10:00,ready\np2,medicine,medical,2016-01-31T09:00,in service\np3,door,frail,2016-01-31T10:30,waiting\n"
    )
    revision = flow.store.revision()
    found = flow.post(f"{API}/now", files={"file": ("now.csv", rows.encode(), "text/csv")}, headers=headers).json()
    assert (found["at"], found["synthetic"]) == ("2016-01-31T11:00:00", False)
    door, medicine, home = found["units"]
    assert (door["waiting"], door["free"], home["servers"], home["occupancy"]) == (1, 4, None, None)
    assert (medicine["in_service"], medicine["ready"], medicine["free"], medicine["occupancy"]) == (
        1,
        1,
        22,
        pytest.approx(2 / 24),
    )
    assert flow.store.revision() == revision  # nothing of the file is stored
    assert [one["in_service"] + one["ready"] + one["waiting"] for one in flow.get(f"{API}/now").json()["units"]] == [
        0,
        0,
        0,
    ]
    assert [one.what for one in readings(flow.store, BCF)] == ["wards"]
    bad = flow.post(
        f"{API}/now", files={"file": ("now.csv", (HEAD + "p1,none,frail,x,\n").encode(), "text/csv")}, headers=headers
    )
    assert (bad.status_code, len(bad.json()["error"]["faults"])) == (400, 3)


def test_a_program_asks_for_a_forecast_and_reads_it(flow: Client) -> None:
    flow.sign_in("flow manager")
    headers = {"X-CSRF-Token": flow.csrf}
    rows = HEAD + "".join(f"p{n},medicine,medical,2016-01-31T0{n % 9}:00,in service\n" for n in range(20))
    asked = flow.post(
        f"{API}/now/forecasts", files={"file": ("now.csv", rows.encode(), "text/csv")}, headers=headers,
        data={"state": "file", "hours": "24", "replications": "20", "decision": ["open 2 at medicine", "more-beds"]},
    )  # fmt: skip
    assert asked.status_code == 202, asked.text
    run = asked.json()["id"]
    assert over(flow.deployment.flow_jobs, run).state == "done"
    found = flow.get(f"{API}/forecast?run={run}").json()
    assert (found["run"], found["state"], found["hours"], found["fingerprint"]) == (
        run,
        "file",
        24,
        fingerprint(NETWORK),
    )
    assert [one["id"] for one in found["decisions"]] == ["open-2-at-medicine", "more-beds"]
    assert {one["decision"] for one in found["units"]} == {"", "open-2-at-medicine", "more-beds"}
    assert {one["station"] for one in found["units"]} >= {"medicine"}
    hours = flow.get(f"{API}/forecast/hours?run={run}&station=medicine&limit=1000").json()["rows"]
    assert {one["hour"] for one in hours} == set(range(1, 25))
    assert flow.get(f"{API}/forecast?run=none").status_code == 404
    # What it begins with is for those who may see patients.
    flow.sign_in("viewer")
    assert flow.get(f"{API}/forecast?run={run}").status_code == 403
    assert flow.post(f"{API}/now/forecasts", headers={"X-CSRF-Token": flow.csrf}).status_code == 403
    flow.deployment.flow_jobs._busy = True  # Nothing more is worked on.
    invented = flow.post(
        f"{API}/forecasts", json={"hours": 12, "decision": ["longer"]}, headers={"X-CSRF-Token": flow.csrf}
    )
    assert (invented.status_code, invented.json()["asked"]["state"]) == (202, "invented")


WANTS: tuple[tuple[dict[str, Any], bool, int, str], ...] = (
    ({"decision": ["build a hospital"]}, True, 400, "is not a decision"),
    ({"decision": ["open 2 at medicine", "open 2 places at medicine"]}, True, 400, "given twice"),
    ({"decision": [f"open 2 at {NHS_NUMBER}"]}, True, 400, "'(number)' is none of"),
    ({"decision": [NHS_NUMBER]}, True, 400, "'(number)' is not a decision"),
    ({"decision": ["divert 999% of falls"]}, True, 400, '"where":"decision"'),
    ({"hour": "24"}, True, 422, "not permitted"),
    ({"state": "file"}, False, 400, "there is none"),
    ({"state": "wards"}, True, 400, "there is a file"),
    ({"state": "invented"}, False, 422, "state"),
    ({"decision": [f"open {n} at medicine" for n in range(1, 6)]}, True, 422, "at most 4"),
    ({"hours": "169"}, True, 422, "168"),
    ({"replications": "1"}, True, 422, "2"),
    ({"at": "soon"}, True, 400, "is not a time"),
    ({}, False, 400, "Nobody is in that state"),
)


@pytest.mark.parametrize(("form", "with_file", "status", "why"), WANTS)
def test_a_forecast_that_cannot_be_made_is_refused(
    flow: Client, form: dict[str, Any], with_file: bool, status: int, why: str
) -> None:
    flow.sign_in("flow manager")
    flow.deployment.flow_jobs._busy = True  # Nothing is worked on.
    files = {"file": ("now.csv", (HEAD + "p1,medicine,medical,2016-01-31T09:00,in service\n").encode(), "text/csv")}
    refused = flow.post(
        f"{API}/now/forecasts",
        data={"state": "file" if with_file else "wards"} | form,
        files=files if with_file else None,
        headers={"X-CSRF-Token": flow.csrf},
    )
    assert refused.status_code == status
    assert why in refused.text
    assert NHS_NUMBER not in refused.text
    assert not flow.deployment.flow_jobs.recent(BCF)
    assert (
        flow.post(f"{API}/now/forecasts", json={"state": "wards"}, headers={"X-CSRF-Token": flow.csrf}).status_code
        == 422
    )


def test_the_shipped_plan_has_a_network_and_its_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(tmp_path / "llr.db")
    client = Client(Deployment(store, {LLR: plan(LLR)}, Settings(folder=tmp_path / "runs"))).sign_in("viewer")
    client.deployment.flow_jobs._busy = True  # Nothing is worked on.
    page = client.get(f"/plans/{LLR}/flow")
    assert page.status_code == 200
    assert "A first look is being simulated" in page.text
    for path in ("run", "compare", "calibration", "promises", "forecast", "stations/majors"):
        answer = client.get(f"/plans/{LLR}/flow/{path}")
        assert answer.status_code == 200, path
        check_outline(answer.text)
    # A folder of that name where the server was started is another plan's.
    (tmp_path / LLR / "flow").mkdir(parents=True)
    for name in ("network.yaml", "twin.yaml"):
        (tmp_path / LLR / "flow" / name).touch()
    monkeypatch.chdir(tmp_path)
    assert client.deployment.twin(LLR) == shipped()[LLR] / "flow" / "twin.yaml"
    store.close()
