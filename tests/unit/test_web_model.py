"""Model runs asked for on a page: made in the background, kept, stopped, and honest about a restart."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bettercare.errors import BettercareError
from bettercare.store import Missing
from bettercare.web.jobs import MOST_RUNS, Job, Jobs
from bettercare.web.model_run import Asked
from web_client import BCF, LLR, Client, client, plan  # noqa: F401


def _over(jobs: Jobs, job: Job) -> Job:
    for _ in range(600):
        found = jobs.job(job.plan, job.id)
        if found.over:
            return found
        time.sleep(0.05)
    raise AssertionError(f"still {found.state}")


def test_a_run_is_asked_for_made_shown_and_kept(client: Client) -> None:  # noqa: F811
    client.sign_in("viewer")
    asked = client.submit(
        f"/plans/{LLR}/model", {"runs": "20", "seed": "7", "scenarios": [next(iter(plan(LLR).scenarios))]}
    )
    assert asked.status_code == 303
    address = asked.headers["location"]
    waiting = client.get(address)
    assert 'hx-trigger="every 1s"' in waiting.text
    assert '<noscript><meta http-equiv="refresh"' in waiting.text
    assert client.get(f"{address}/report.html").status_code == 404
    jobs = client.deployment.jobs
    job = _over(jobs, jobs.job(LLR, address.rpartition("/")[2]))
    assert (job.state, job.done, job.of) == ("done", 20, 20)
    assert client.get(f"{address}/progress").headers["hx-refresh"] == "true"
    shown = client.get(address).text
    assert "20 runs, seed 7" in shown
    assert "<svg" in shown
    assert "Confirm or challenge" in shown
    assert address in client.get(f"/plans/{LLR}/model").text
    report = client.get(f"{address}/report.html")
    assert report.headers["content-disposition"].startswith("attachment;")
    assert report.text.startswith("<!DOCTYPE html>")
    assert client.get(f"{address}/report.xlsx").content[:2] == b"PK"
    # The same question is not worked out again, by this server or by the next.
    assert (
        client.submit(
            f"/plans/{LLR}/model", {"runs": "20", "seed": "7", "scenarios": [next(iter(plan(LLR).scenarios))]}
        ).headers["location"]
        == address
    )
    assert jobs.job(LLR, job.id) is job
    again = Jobs(client.deployment.settings.folder)
    assert again.job(LLR, job.id) == job
    assert again.document(job).title == jobs.document(job).title
    again.close()


def test_scenarios_are_set_beside_the_plan(client: Client) -> None:  # noqa: F811
    client.sign_in("viewer")
    names = list(plan(LLR).scenarios)[:2]
    page = client.get(f"/plans/{LLR}/model/compare").text
    assert all(f'value="{name}"' in page for name in names)
    assert "No scenario is chosen" in client.submit(f"/plans/{LLR}/model/compare", {"runs": "0", "seed": "1"}).text
    address = client.submit(f"/plans/{LLR}/model/compare", {"runs": "0", "seed": "1", "scenarios": names}).headers[
        "location"
    ]
    job = _over(client.deployment.jobs, client.deployment.jobs.job(LLR, address.rpartition("/")[2]))
    assert job.state == "done", job.fault
    assert re.search(r'id="scenarios"', client.get(address).text)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"runs": "many", "seed": "1"}, "The number of runs is not a whole number"),
        ({"runs": str(MOST_RUNS + 1), "seed": "1"}, "runs cannot be made"),
        ({"runs": "1", "seed": "-1"}, "The seed is not a whole number"),
        ({"runs": "1", "seed": "1", "scenarios": "../x"}, "has no scenario"),
    ],
)
def test_what_cannot_be_run_is_said_on_the_form(client: Client, form: dict[str, object], said: str) -> None:  # noqa: F811
    client.sign_in("viewer")
    response = client.submit(f"/plans/{BCF}/model", form)
    assert response.status_code == 400
    assert said in response.text
    assert client.deployment.jobs.recent(BCF) == []


def test_a_run_is_stopped(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    job = jobs.start(plan(LLR), Asked(MOST_RUNS, 1), "ann")
    second = jobs.start(plan(LLR), Asked(50, 1), "bo")
    for _ in range(600):
        if jobs.job(LLR, job.id).done:
            break
        time.sleep(0.05)
    assert 0 < jobs.job(LLR, job.id).done < MOST_RUNS
    assert jobs.job(LLR, second.id).state == "waiting"
    with pytest.raises(BettercareError, match="ann asked for this run"):
        jobs.cancel(job, "bo")
    jobs.cancel(job, "ann")
    assert jobs.job(LLR, job.id).state == "cancelled"
    assert _over(jobs, second).state == "done"
    with pytest.raises(Missing):
        jobs.document(job)
    assert not list(tmp_path.glob("**/*.part"))
    jobs.close()


def test_a_run_that_a_restart_broke_off_says_so(client: Client, tmp_path: Path) -> None:  # noqa: F811
    client.sign_in("viewer")
    jobs = client.deployment.jobs
    job = Job("abc123", BCF, Asked(10, 1), "ann", "2026-01-01T00:00:00+00:00", state="running")
    (tmp_path / "runs" / BCF).mkdir(parents=True)
    jobs._write(job)
    assert jobs.job(BCF, "abc123") == replace(job, state="lost")
    page = client.get(f"/plans/{BCF}/model/abc123").text
    assert "restarted before the run was done" in page
    assert "Run it again" in page


def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    job = _over(jobs, jobs.start(plan(BCF), Asked(5, 1, ("none-such",)), "ann"))
    assert job.state == "failed"
    assert "none-such" in job.fault
    jobs.close()


def test_runs_that_are_not_there(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    for id in ("none", "../../etc/passwd", ""):
        with pytest.raises(Missing):
            jobs.job(BCF, id)
    (tmp_path / BCF).mkdir()
    (tmp_path / BCF / "torn.json").write_text("{")
    with pytest.raises(Missing):
        jobs.job(BCF, "torn")
    assert jobs.recent(BCF) == []
    with pytest.raises(BettercareError, match="cannot be made"):
        jobs.start(plan(BCF), Asked(-1, 1), "ann")
    jobs.close()
