"""The API: the same facts as the pages, every change checked and none lost."""

from __future__ import annotations

import hashlib
import io
import re
import time
from typing import Any

import pytest
from httpx2 import Response

from bettercare.access.roles import SAID
from bettercare.access.tokens import issue_token
from bettercare.access.users import find_user
from bettercare.assurance.metrics import Actual
from bettercare.assurance.risks import Risk
from bettercare.reports.programme.front import verdict
from demo_client import check_outline, demo  # noqa: F401
from web_client import BCF, LLR, Client

BASE = f"/api/v1/plans/{BCF}"


class Program:
    """A program with a token of a user of some role."""

    def __init__(self, client: Client, role: str) -> None:
        client.sign_in(role)  # type: ignore[arg-type]
        user = find_user(client.store, role.replace(" ", "-"))
        assert user is not None
        token = issue_token(client.store, user, "a test")
        client.cookies.clear()
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, to: str, status: int = 200, **sent: Any) -> Any:
        response = self.answer(method, to, **sent)
        assert response.status_code == status, f"{method} {to}: {response.status_code} {response.text[:500]}"
        return response.json() if response.content else None

    def answer(self, method: str, to: str, **sent: Any) -> Response:
        return self.client.request(method, to if to.startswith("/api") else BASE + to, headers=self.headers, **sent)  # type: ignore[return-value]


@pytest.fixture
def office(demo: Client) -> Program:  # noqa: F811
    return Program(demo, "programme office")


SAMPLES = {
    "plan": BCF, "metric": "m3", "id": "", "year": "2015-16", "ref": "rag:m3", "run": "none", "file": "pdf",
}  # fmt: skip


def _samples(program: Program, path: str) -> str:
    """An address of the description with its gaps filled by things there are."""
    listed = {
        "/boards/{id}": "", "/schemes/{id}": "/schemes", "/milestones/{id}": "/milestones", "/ledger/{id}": "/ledger", "/reports/{id}": "/reports",
    }  # fmt: skip
    inside = path.removeprefix("/api/v1/plans/{plan}")
    start = re.sub(r"\{id\}.*", "{id}", inside)
    found = program.ask("GET", listed.get(start, start.removesuffix("/{id}"))) if "{id}" in path else []
    rows = (
        found
        if isinstance(found, list)
        else next((found[name] for name in ("rows", "milestones", "boards") if name in found), [])
    )
    sample = SAMPLES | {"id": rows[0]["id"] if rows else "none"}
    return re.sub(r"\{(\w+)\}", lambda gap: sample[gap.group(1)], path)


def test_everything_that_can_be_read_is_there(office: Program) -> None:
    office.ask("POST", "/reports", 201, json={"kind": "monthly"})
    found = office.ask("GET", "/api/v1/openapi.json")
    read = [
        path
        for path, methods in found["paths"].items()
        if "get" in methods and "{run}" not in path and "/flow" not in path and "/wards" not in path
    ]
    assert len(read) > 35
    for path in read:
        response = office.answer("GET", _samples(office, path))
        assert response.status_code == 200, f"{path}: {response.text[:300]}"


def test_the_description_is_of_the_api_alone_and_says_what_each_part_means(office: Program) -> None:
    found = office.ask("GET", "/api/v1/openapi.json")
    assert all(path.startswith("/api/v1/") for path in found["paths"])
    operations = [one for methods in found["paths"].values() for one in methods.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    for one in operations:
        assert one["summary"]
        assert f"Needs the right {SAID[one['x-right']]}." in one["description"]
        assert {"401", "403", "422"} <= one["responses"].keys()
        assert all(
            parameter.get("description") for parameter in one.get("parameters", ()) if parameter["name"] != "only"
        ), one["operationId"]
    for name, shape in found["components"]["schemas"].items():
        if name.endswith(("In", "Change")) or name.startswith("Question"):
            for field, said in shape["properties"].items():
                assert said.get("description") or said.get("title"), f"{name}.{field}"
    assert found["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    secret = ("password_hash", "token_hash", "csrf")
    assert not any(word in str(found["components"]["schemas"]) for word in secret)


def test_the_examples_of_the_description_are_taken(office: Program) -> None:
    found = office.ask("GET", "/api/v1/openapi.json")
    for path in (
        "risks",
        "actions",
        "decisions",
        "meetings",
        "agenda",
        "declarations",
        "questions",
        "actuals",
        "ledger",
    ):
        body = found["paths"][f"/api/v1/plans/{{plan}}/{path}"]["post"]["requestBody"]["content"]["application/json"]
        (example,) = found["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]["examples"]
        office.ask("POST", f"/{path}", 201, json=example)


def test_the_page_of_the_description_needs_nothing_from_elsewhere(demo: Client) -> None:  # noqa: F811
    shown = demo.get("/api/docs")
    assert shown.status_code == 200
    check_outline(shown.text)
    assert 'id="metric_judgement"' in shown.text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', shown.text)


def test_the_facts_are_those_of_the_pages(office: Program) -> None:
    assessment = office.client.deployment.assessment(BCF)
    plan = office.ask("GET", "")
    assert plan["verdict"] == verdict(assessment)
    assert plan["synthetic"] is True
    assert [one["id"] for one in office.ask("GET", "/api/v1/plans")] == [BCF, LLR]
    metric = office.ask("GET", "/metrics/m3")
    judged = assessment.judgements["m3"]
    assert metric["rag"] == {
        "status": judged.rag.status, "reason": judged.rag.reason, "rule": judged.rag.rule, "actual": judged.rag.actual, "expected": judged.rag.expected,
    }  # fmt: skip
    assert len(metric["actuals"]) == len(judged.actuals)
    assert metric["spc"]["sentence"] == judged.spc.sentence  # type: ignore[union-attr]
    fund = office.ask("GET", "/fund/2015-16")
    assert fund["outturn"] == assessment.fund("2015/16").outturn
    assert sum(one["balance"] for one in office.ask("GET", "/accounts")) == 0
    assert [one["metric"] for one in office.ask("GET", "/exceptions")] == [one.metric for one in assessment.exceptions]
    chain = office.ask("GET", "/chain/rag:m3")
    assert {one["ref"] for one in chain["before"]} == {one.ref for one in assessment.chain("rag:m3").before}


def test_refusals_have_one_shape(office: Program) -> None:
    for method, to, status, sent in (
        ("GET", "/metrics/none", 404, None),
        ("GET", "/api/v1/plans/none", 404, None),
        ("GET", "/api/v1/nowhere", 404, None),
        ("PATCH", "/metrics", 405, None),
        ("POST", "/actuals", 422, {"metric": "m3"}),
        ("POST", "/risks", 422, {"risk": "x", "pence": "much"}),
        ("POST", "/risks", 422, {"risk": "A\0B"}),
        ("POST", "/risks", 400, {"risk": "x", "scheme": "none"}),
        ("GET", "/fund/2015-16/overspend?account=nowhere", 400, None),
        ("GET", "/fund/1999-00", 404, None),
    ):
        said = office.ask(method, to, status, json=sent)
        assert said.keys() == {"error"}
        assert said["error"].keys() == {"what", "where", "remedy", "faults"}
        assert said["error"]["what"]


def test_nobody_is_let_in_without_a_token_and_nobody_does_what_their_role_does_not_allow(demo: Client) -> None:  # noqa: F811
    assert demo.get(f"{BASE}/risks").status_code == 401
    assert demo.get(f"{BASE}/risks", headers={"Authorization": "Bearer bettercare_x_y"}).status_code == 401
    viewer = Program(demo, "viewer")
    assert viewer.ask("GET", "/api/v1/me") == {
        "user": "viewer", "name": "A viewer", "role": "viewer", "rights": ["read"], "by": "token",
    }  # fmt: skip
    before = demo.store.revision()
    assert "does not allow" in viewer.ask("POST", "/risks", 403, json={"risk": "x"})["error"]["what"]
    assert viewer.ask("POST", "/ledger", 403, json={})["error"]
    assert demo.store.revision() == before


def test_a_session_needs_its_secret_to_change_anything(demo: Client) -> None:  # noqa: F811
    demo.sign_in("programme office")
    assert demo.get("/api/v1/me").json()["by"] == "session"
    risk = {"risk": "There is a risk of a test"}
    assert demo.post(f"{BASE}/risks", json=risk).status_code == 403
    assert demo.post(f"{BASE}/risks", json=risk, headers={"X-CSRF-Token": demo.csrf}).status_code == 201


# --- figures --------------------------------------------------------------------------------------------------------------


def test_a_figure_changes_the_rating_and_the_one_before_is_kept(office: Program) -> None:
    metric = office.ask("GET", "/metrics/m3")
    last = metric["actuals"][-1]
    figure = {"metric": "m3", "period": last["period"], "value": "1.5", "source": "A test"}
    made = office.ask("POST", "/actuals", 201, json=figure)
    assert made["revision"] == last["revision"] + 1
    assert made["synthetic"] is False
    now = office.ask("GET", "/metrics/m3")
    assert now["actuals"][-1]["value"] == "1.5"
    assert now["rag"]["reason"] != metric["rag"]["reason"]
    both = [
        one["value"]
        for one in office.ask("GET", "/actuals?metric=m3&limit=1000")["rows"]
        if one["period"] == last["period"]
    ]
    assert both[-2:] == [last["value"], "1.5"]
    assert "already" in office.ask("POST", "/actuals", 400, json=figure)["error"]["what"]


def test_every_fault_of_a_figure_is_said(office: Program) -> None:
    said = office.ask(
        "POST", "/actuals", 400, json={"metric": "m3", "period": "2035-04-02", "value": "-1", "source": "A test"}
    )
    assert {one["where"] for one in said["error"]["faults"]} == {"period", "value"}


def test_a_file_is_looked_at_and_then_taken(office: Program) -> None:
    text = "metric,period,value,source\nm3,2015-12,1.25,A test\n"
    file = {"file": ("figures.csv", io.BytesIO(text.encode()), "text/csv")}
    before = office.client.store.revision(BCF)
    looked = office.ask("POST", "/actuals/file", files=file, data={"look": "true"})
    assert (looked["stored"], looked["figures"][0]["value"], looked["figures"][0]["version"]) == (False, "1.25", 0)
    assert office.client.store.revision(BCF) == before
    file["file"][1].seek(0)
    taken = office.ask("POST", "/actuals/file", files=file)
    assert taken["figures"][0]["version"] == 1
    stored = office.client.store.read(Actual, BCF, taken["figures"][0]["id"])
    assert str(stored.value) == "1.25"
    file["file"][1].seek(0)
    office.ask("POST", "/actuals/file", 422, files=file, data={"looks": "true"})
    bad = {"file": ("figures.csv", io.BytesIO(b"metric,period,value,source\nm3,2015-13,x,A test\n"), "text/csv")}
    assert len(office.ask("POST", "/actuals/file", 400, files=bad)["error"]["faults"]) == 2


def test_rules_are_changed_by_the_version_that_was_read(office: Program) -> None:
    now = office.ask("GET", "/metrics/m3/rules")
    sent = {"preset": now["preset"], "rebase": [], "amber": "2", "version": now["version"]}
    made = office.ask("PUT", "/metrics/m3/rules", json=sent)
    assert (made["amber"], made["version"]) == ("2", now["version"] + 1)
    assert office.ask("PUT", "/metrics/m3/rules", 409, json=sent)["error"]["what"]
    wrong = office.ask("PUT", "/metrics/m3/rules", 400, json=sent | {"preset": "none", "version": made["version"]})
    assert wrong["error"]["faults"][0]["where"] == "preset"


# --- registers ------------------------------------------------------------------------------------------------------------

NEW: dict[str, dict[str, Any]] = {
    "risks": {"risk": "There is a risk of a test", "likelihood": 3, "impact": 4},
    "actions": {"action": "Try it", "officers": "A tester", "about": ["metric:m3"]},
    "decisions": {"decision": "To try it", "body": "integration-executive", "on": "2016-01-20"},
    "meetings": {"body": "integration-executive", "on": "2016-03-01", "time": "14:00"},
    "questions": {"question": "Does it work?", "body": "leicestershire-hwb", "raised": "2016-01-20"},
}


@pytest.mark.parametrize("register", NEW)
def test_a_row_is_added_read_changed_and_removed_and_a_lost_update_is_told(office: Program, register: str) -> None:
    boards = [one["id"] for one in office.ask("GET", "")["boards"]]
    new = {name: boards[0] if name == "body" else value for name, value in NEW[register].items()}
    made = office.ask("POST", f"/{register}", 201, json=new | {"id": "a-test"})
    assert (made["id"], made["version"], made["plan"]) == ("a-test", 1, BCF)
    assert office.ask("GET", f"/{register}/a-test") == made
    assert office.ask("POST", f"/{register}", 409, json=new | {"id": "a-test"})["error"]["what"]
    first = next(iter(name for name in new if name != "body" and isinstance(new[name], str) and len(new[name]) > 5))
    other = {"on": "2016-03-02", "raised": "2016-01-21"}.get(first, "Another text")
    office.ask("PUT", f"/{register}/a-test", json=new | {first: other, "version": 1})
    lost = office.ask("PUT", f"/{register}/a-test", 409, json=new | {"version": 1})["error"]
    assert lost["faults"] == [{"where": first, "what": f"It was {new[first]!r} and is now {other!r}.", "remedy": ""}]
    assert office.ask("GET", f"/{register}/a-test")[first] == other
    assert office.ask("DELETE", f"/{register}/a-test?version=1", 409)
    office.ask("DELETE", f"/{register}/a-test?version=2", 204)
    assert office.ask("GET", f"/{register}/a-test", 404)


def test_agenda_and_declarations_belong_to_a_meeting(office: Program) -> None:
    board = office.ask("GET", "")["boards"][0]["id"]
    office.ask("POST", "/meetings", 201, json={"body": board, "on": "2016-03-01", "id": "m-1"})
    assert (
        office.ask("POST", "/agenda", 201, json={"meeting": "m-1", "title": "A test", "number": "1"})["meeting"]
        == "m-1"
    )
    declared = {"meeting": "m-1", "member": "A member", "interest": "An interest"}
    assert office.ask("POST", "/declarations", 201, json=declared)["withdrew"] is False
    wrong = office.ask("POST", "/agenda", 400, json={"meeting": "none", "title": "A test", "about": ["risk:none"]})[
        "error"
    ]
    assert [one["where"] for one in wrong["faults"]] == ["meeting", "about"]


def test_a_question_goes_its_course(demo: Client) -> None:  # noqa: F811
    board, office = Program(demo, "board"), Program(demo, "programme office")
    body = board.ask("GET", "")["boards"][0]["id"]
    made = board.ask(
        "POST", "/questions", 201, json={"question": "Will it?", "body": body, "raised": "2016-01-05", "id": "q-1"}
    )
    assert board.ask("POST", "/questions/q-1/confirm", 400, json={"version": 1})["error"]["remedy"]
    answered = office.ask(
        "POST",
        "/questions/q-1/answer",
        json={"answer": "It will.", "answered_by": "A lead", "version": made["version"]},
    )
    assert (answered["status"], answered["answered"]) == ("answered", "2016-01-31")
    assert board.ask("POST", "/questions/q-1/answer", 403, json={"answer": "No.", "version": 2})
    assert board.ask("POST", "/questions/q-1/confirm", 409, json={"version": 1})
    assert board.ask("POST", "/questions/q-1/confirm", json={"version": 2})["status"] == "confirmed"
    assert board.ask("POST", "/questions/q-1/close", json={"version": 3, "outcome": "Good."})["status"] == "closed"


def test_a_recommendation_is_sent_to_boards_and_decided(office: Program) -> None:
    boards = office.ask("GET", "")["boards"]
    body = next(one for one in boards if one["accountable_to"])
    decider = next(one["id"] for one in boards if one["decides"] and one["id"] != body["id"])
    new = {
        "decision": "To do it",
        "kind": "recommendation",
        "status": "proposed",
        "body": body["id"],
        "on": "2016-01-05",
        "id": "d-1",
    }
    office.ask("POST", "/decisions", 201, json=new)
    agreed = [one["id"] for one in boards]
    sent = office.ask("POST", "/decisions/d-1/route", json={"agreed": agreed, "to": [decider], "version": 1})
    assert sent["awaits"] == [decider]
    ruling = {"board": decider, "agrees": True, "on": "2016-01-20", "minute": "9", "version": 2}
    ruled = office.ask("POST", "/decisions/d-1/ruling", 201, json=ruling)
    assert (ruled["recommendation"]["status"], ruled["resolution"]["about"]) == ("agreed", ["decision:d-1"])
    assert office.ask("POST", "/decisions/d-1/ruling", 400, json=ruling)["error"]["what"]


def test_lists_are_walked_part_by_part(office: Program) -> None:
    start: int | None = 0
    seen: list[str] = []
    while start is not None:
        part = office.ask("GET", f"/ledger?start={start}&limit=70")
        seen += [one["id"] for one in part["rows"]]
        start = part["next"]
    assert len(seen) == len(set(seen)) == len(office.client.deployment.assessment(BCF).registers.entries)
    assert office.ask("GET", "/ledger?limit=1001", 422)


# --- money ----------------------------------------------------------------------------------------------------------------


def test_money_is_moved_once_and_put_back(office: Program) -> None:
    scheme = next(one["account"] for one in office.ask("GET", "/accounts") if one["account"].startswith("scheme:"))
    spend = {
        "on": "2016-01-10",
        "kind": "spend",
        "from_account": scheme,
        "to_account": scheme.replace("scheme", "spent"),
        "pence": 12345,
        "id": "mine-1",
    }
    made = office.ask("POST", "/ledger", 201, json=spend)
    assert (made["year"], made["pence"]) == ("2015/16", 12345)
    assert office.ask("POST", "/ledger", 409, json=spend)
    assert office.ask("POST", "/ledger", 400, json=spend | {"id": "", "to_account": "pool"})["error"]["remedy"]
    undone = office.ask("POST", "/ledger/mine-1/reversal", 201, json={"on": "2016-01-11", "why": "A slip"})
    assert (undone["from_account"], undone["to_account"], undone["reverses"]) == (
        made["to_account"],
        made["from_account"],
        "mine-1",
    )
    assert (
        "already"
        in office.ask("POST", "/ledger/mine-1/reversal", 400, json={"on": "2016-01-11", "why": "A slip"})["error"][
            "what"
        ]
    )
    assert sum(one["balance"] for one in office.ask("GET", "/accounts")) == 0


def test_what_is_posted_is_what_was_seen(office: Program) -> None:
    found = office.ask("GET", "/payments")
    assert office.ask("POST", "/payments", 409, json={"seen": "something else"})
    if found["proposed"]:
        posted = office.ask("POST", "/payments", 201, json={"seen": found["seen"]})
        assert {one["id"] for one in posted} == {one["id"] for one in found["proposed"]}
    assert office.ask("GET", "/payments")["proposed"] == []
    worked = office.ask("GET", "/fund/2015-16/overspend?pence=1000000&account=pool")
    assert sum(worked["cover"]["overspends"].values()) == 1000000
    decision = office.ask("GET", "/decisions")["rows"][0]["id"]
    order = {"pence": 1000000, "because": f"decision:{decision}", "seen": worked["seen"]}
    assert sum(one["pence"] for one in office.ask("POST", "/fund/2015-16/overspend", 201, json=order)) > 0
    assert office.ask("POST", "/fund/2015-16/opening", 409)


# --- milestones, reports, changes, runs -----------------------------------------------------------------------------------


def test_progress_moves_a_milestone(office: Program) -> None:
    one = next(one for one in office.ask("GET", "/milestones")["milestones"] if one["due"] and not one["done_on"])
    entered = office.ask("GET", f"/milestones/{one['id']}")["progress"]
    sent = {"done_on": "2016-01-15", "version": entered["version"] if entered else 0}
    office.ask("PUT", f"/milestones/{one['id']}/progress", json=sent)
    assert office.ask("GET", f"/milestones/{one['id']}")["scheduled"]["done_on"] == "2016-01-15"
    assert office.ask("PUT", f"/milestones/{one['id']}/progress", 409, json=sent)
    assert office.ask("GET", f"/milestones/{one['id']}/consequences?days=400")["least"] == 400


def test_a_report_is_published_and_its_files_are_what_its_hashes_say(office: Program) -> None:
    assert office.ask("POST", "/reports", 400, json={"kind": "board"})["error"]["where"] == "board"
    made = office.ask("POST", "/reports", 201, json={"kind": "monthly"})
    assert [one["id"] for one in office.ask("GET", "/reports")] == [made["id"]]
    whole = office.ask("GET", f"/reports/{made['id']}")
    assert whole["as_published"] is True
    assert whole["facts"]["plan"] == BCF
    for file in ("html", "pdf", "xlsx"):
        content = office.answer("GET", f"/reports/{made['id']}/{file}").content
        assert hashlib.sha256(content).hexdigest() == made[f"{file}_sha256"]


def test_a_program_follows_the_changes_of_a_plan(office: Program) -> None:
    last = office.client.store.revision(BCF)
    office.ask("POST", "/risks", 201, json={"risk": "There is a risk of a test", "id": "a-test"})
    found = office.ask("GET", f"/changes?after={last}")
    assert [(one["kind"], one["id"], one["by"], one["action"]) for one in found["rows"]] == [
        ("risks", "a-test", "programme-office", "add")
    ]
    assert office.ask("GET", f"/changes?after={found['last']}") == {"rows": [], "last": found["last"]}
    assert office.client.store.read(Risk, BCF, "a-test").version == 1


def test_the_model_runs_in_the_background(office: Program) -> None:
    assert "no scenario" in office.ask("POST", "/runs", 400, json={"scenarios": ["none"]})["error"]["what"]
    job = office.ask("POST", "/runs", 202, json={"runs": 0})
    assert office.ask("POST", "/runs", 202, json={"runs": 0})["id"] == job["id"]
    for _ in range(300):
        if office.ask("GET", f"/runs/{job['id']}")["state"] not in ("waiting", "running"):
            break
        time.sleep(0.1)
    assert office.ask("GET", f"/runs/{job['id']}")["state"] == "done"
    result = office.ask("GET", f"/runs/{job['id']}/result")
    assert any(table["rows"] for table in result["tables"])
    office.ask("DELETE", f"/runs/{job['id']}", 204)


def test_the_data_date_is_moved(office: Program) -> None:
    now = office.ask("GET", "/programme")
    office.ask("PUT", "/programme", json={"as_at": "2015-10-31", "version": now["version"]})
    assert office.ask("GET", "")["on"] == "2015-10-31"
    assert (
        office.ask("PUT", "/programme", 409, json={"as_at": None, "version": now["version"]})["error"]["faults"][0][
            "where"
        ]
        == "as_at"
    )


def test_a_month_may_be_sent_for_its_first_day(demo: Client) -> None:  # noqa: F811
    editor = Program(demo, "editor")
    sent = {"metric": "m3", "period": "2016-01", "value": "340.1", "source": "Sitrep"}
    assert editor.ask("POST", "/actuals", 201, json=sent)["period"] == "2016-01-01"
    editor.ask("POST", "/actuals", 422, json=sent | {"period": "2016-13"})
