"""Model runs asked for on a page, and work behind the pages of any sort: kept, stopped, and honest about what went wrong."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
import threading
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from bettercare.errors import BettercareError
from bettercare.store import Missing
from bettercare.web.background import MOST_WAITING
from bettercare.web.jobs import MOST_RUNS, Job, Jobs
from bettercare.web.model_run import Asked, Order
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


def test_a_run_is_stopped_by_whoever_asked_and_the_next_goes_on(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    job = jobs.start(plan(LLR), Asked(MOST_RUNS, 1), "ann")
    second = jobs.start(plan(LLR), Asked(50, 1), "bo")
    assert jobs.start(plan(LLR), Asked(50, 1), "cy").id == second.id
    for _ in range(600):
        if jobs.job(LLR, job.id).done:
            break
        time.sleep(0.05)
    assert 0 < jobs.job(LLR, job.id).done < MOST_RUNS
    assert jobs.job(LLR, second.id).state == "waiting"
    assert jobs._thread
    assert jobs._thread.ident
    frames = traceback.walk_stack(sys._current_frames()[jobs._thread.ident])
    held = [value for frame, _ in frames for value in frame.f_locals.values()]
    assert not [value for value in held if isinstance(value, bytes) and b"Order" in value], "who is where is let go"
    with pytest.raises(BettercareError, match="ann asked for this run"):
        jobs.cancel(job, "bo")
    jobs.cancel(job, "ann")
    assert jobs.job(LLR, job.id).state == "cancelled"
    assert _over(jobs, second).state == "done"
    with pytest.raises(Missing):
        jobs.document(job)
    assert not list(tmp_path.glob("**/*.part"))
    jobs.close()


def test_a_server_that_stops_ends_what_runs_and_begins_nothing_more(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    first, second = (jobs.start(plan(BCF), Asked(MOST_RUNS, seed), "ann") for seed in (1, 2))
    for _ in range(600):
        if jobs.job(BCF, first.id).state == "running":
            break
        time.sleep(0.05)
    process = jobs._live[BCF, first.id].process
    assert process
    assert os.getsid(process.pid) == process.pid, "Ctrl-C does not reach it before the server"
    jobs.close()
    again = Jobs(tmp_path)
    assert [again.job(BCF, one.id).state for one in (first, second)] == ["lost", "lost"]
    assert jobs._live[BCF, first.id].process is None


def test_a_process_ends_with_its_server(tmp_path: Path) -> None:
    order = Order(plan(LLR), Asked(MOST_RUNS, 1), tmp_path / "never.pickle")
    command = [sys.executable, "-m", Jobs.module]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    process.stdin.write(pickle.dumps(order))
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["of"] == MOST_RUNS
    process.stdin.close()
    assert process.wait(120) == 1
    assert list(tmp_path.iterdir()) == []


STRAY = """
import sys, threading, time
threading.Thread(target=sys.stdin.buffer.read, daemon=True).start()
print("warning: this is no message", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("fault", ["full disk", "stray line"])
def test_a_turn_that_goes_wrong_is_said_to_have_failed_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    jobs = Jobs(tmp_path)
    write, popen = jobs._write, subprocess.Popen
    failed: list[Job] = []
    begun: list[Any] = []

    def write_once_not(job: Job) -> None:
        if fault == "full disk" and job.state == "running" and not failed:
            failed.append(job)
            raise OSError(28, "No space left on device")
        write(job)

    def begin(command: list[str], **pipes: Any) -> Any:
        stray = fault == "stray line" and not begun
        begun.append(popen([sys.executable, "-c", STRAY] if stray else command, **pipes))
        return begun[-1]

    monkeypatch.setattr(jobs, "_write", write_once_not)
    monkeypatch.setattr("bettercare.web.background.subprocess.Popen", begin)
    first, second = (jobs.start(plan(BCF), Asked(0, seed), "ann") for seed in (1, 2))
    assert _over(jobs, second).state == "done"
    gone = jobs.job(BCF, first.id)
    assert gone.state == "failed"
    assert "could not be begun, followed or written down" in gone.fault
    assert begun[0].poll() is not None, "its process is ended"
    assert _over(jobs, jobs.start(plan(BCF), Asked(0, 1), "ann")).state == "done", "it can be asked for again"
    jobs.close()


def test_what_cannot_be_written_down_is_not_begun(tmp_path: Path) -> None:
    (tmp_path / BCF).write_text("in the way")
    jobs = Jobs(tmp_path)
    with pytest.raises(BettercareError, match="not begun"):
        jobs.start(plan(BCF), Asked(0, 1), "ann")
    assert jobs._live == {}


def test_a_run_that_nobody_can_work_on_has_failed_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Jobs(tmp_path)
    turns: list[Any] = []
    monkeypatch.setattr(jobs, "_turn", turns.append)
    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError("can't start new thread")))
        first = jobs.start(plan(BCF), Asked(0, 1), "ann")
    assert first.state == "failed"
    assert jobs.job(BCF, first.id) == first
    second = jobs.start(plan(BCF), Asked(0, 2), "ann")
    jobs.close()
    assert [live.job.id for live in turns] == [second.id]


def test_a_run_is_stopped_though_that_cannot_be_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(tmp_path)
    jobs._busy = True  # Nothing is worked on.
    job = jobs.start(plan(BCF), Asked(0, 1), "ann")
    monkeypatch.setattr(jobs, "_write", Mock(side_effect=OSError(28, "No space left on device")))
    jobs.cancel(job, "ann")
    assert jobs.job(BCF, job.id).state == "cancelled"


def test_what_was_broken_off_while_it_was_written_is_cleared_away(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    jobs._busy = True  # Nothing is worked on.
    under_way = jobs.start(plan(BCF), Asked(0, 1), "ann")
    for name in (f"{under_way.id}.part", "killed.part", "full.new"):
        (tmp_path / BCF / name).write_text("half of")
    (tmp_path / BCF / "stuck.part").mkdir()  # It cannot be removed, which is no reason to refuse a run.
    assert jobs.start(plan(BCF), Asked(0, 2), "ann").state == "waiting"
    left = {path.name for path in (tmp_path / BCF).iterdir() if path.suffix != ".json"}
    assert left == {f"{under_way.id}.part", "stuck.part"}


def test_no_more_wait_and_no_more_are_kept_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(tmp_path)
    jobs._busy = True  # Nothing is worked on.
    asked = [jobs.start(plan(BCF), Asked(0, seed), "ann") for seed in range(MOST_WAITING)]
    with pytest.raises(BettercareError, match="Too many runs are waiting"):
        jobs.start(plan(BCF), Asked(0, MOST_WAITING), "ann")
    for job in asked[:3]:
        jobs.cancel(job, "ann")
    monkeypatch.setattr(Jobs, "most_kept", 1)
    last = jobs.start(plan(BCF), Asked(0, MOST_WAITING), "ann")
    assert jobs.recent(BCF) == [last, *reversed(asked[3:]), jobs.job(BCF, asked[2].id)]
    with pytest.raises(Missing):
        jobs.job(BCF, asked[0].id)


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


BEFORE = (
    '{"id": "old1", "plan": "%s", "asked": {"runs": 5, "seed": 1, "scenarios": ["a"], "comparisons": []}, "by": "ann", '
    '"at": "2026-01-01T00:00:00+00:00", "state": "done", "done": 5, "of": 5, "fault": ""}'
)
"""A run as it was kept before its words were."""


def test_runs_that_are_not_there_or_cannot_be_read(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    (tmp_path / BCF).mkdir()
    (tmp_path / "outside.json").write_text(BEFORE % BCF)
    for id in ("none", "../outside", "", "é"):
        with pytest.raises(Missing):
            jobs.job(BCF, id)
    for name, content in (("torn", "{"), ("odd", '{"id": 1}'), ("word", '{"asked": "run"}'), ("old1", BEFORE % BCF)):
        (tmp_path / BCF / f"{name}.json").write_text(content)
    for name in ("torn", "odd", "word"):
        with pytest.raises(Missing):
            jobs.job(BCF, name)
    (old,) = jobs.recent(BCF)
    assert (old.state, old.asked) == ("done", Asked(5, 1, ("a",)))
    (tmp_path / BCF / "old1.pickle").write_bytes(b"not what it was")
    with pytest.raises(Missing, match="no longer kept"):
        jobs.document(old)
    with pytest.raises(BettercareError, match="cannot be made"):
        jobs.start(plan(BCF), Asked(-1, 1), "ann")


def test_a_run_whose_result_is_gone_or_damaged_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(tmp_path)
    first = _over(jobs, jobs.start(plan(BCF), Asked(0, 1), "ann"))
    assert jobs.start(plan(BCF), Asked(0, 1), "ann") == first
    place = tmp_path / BCF / f"{first.id}.pickle"
    place.unlink()
    again = jobs.start(plan(BCF), Asked(0, 1), "ann")
    assert not again.over
    again = _over(jobs, again)
    assert again.state == "done"
    with monkeypatch.context() as crowded:
        crowded.setattr(Path, "read_bytes", Mock(side_effect=OSError(24, "Too many open files")))
        with pytest.raises(Missing):
            jobs.document(again)
    assert jobs.document(again).title, "it is not thrown away when the disk only did not answer"
    jobs._at_hand.clear()
    place.write_bytes(b"not what it was")
    with pytest.raises(Missing, match="no longer kept"):
        jobs.document(again)
    assert not jobs.start(plan(BCF), Asked(0, 1), "ann").over
    jobs.close()
