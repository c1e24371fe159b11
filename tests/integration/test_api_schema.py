"""Anything that fits the API's description, and much that does not, sent as every role: no mistake of ours, and every answer as described."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import settings
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from bettercare.access.roles import RIGHTS, Role
from bettercare.access.tokens import issue_token
from bettercare.access.users import create_user
from bettercare.demo import fill
from bettercare.plan import Plan
from bettercare.reports import published
from bettercare.store import Store
from bettercare.web.app import ROUTERS, create_app
from bettercare.web.model_run import Asked
from bettercare.web.state import Deployment, Settings

BCF = "leicestershire-bcf-2014"
LLR = "llr-stp-2016"
"""Has a network of care, so wards and a state now."""
EXAMPLES = max(4, settings.default.max_examples // 10)  # type: ignore[union-attr]
"""Of each operation, each sent as every role; HYPOTHESIS_PROFILE=search looks further."""
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = 105
FITTING: dict[str, Any] = {
    "body": "integration-executive", "board": "integration-executive", "scheme": "hdr1", "metric": "m3", "period": "2015-12-01", "about": ["rag:m3"],
    "focus": "", "from_account": "scheme:hdr1", "to_account": "spent:hdr1", "kind": "spend", "on": "2016-01-10", "meeting": "hwb-2014-09-16", "because": "rag:m3",
    "version": 1, "preset": "making-data-count", "rebase": [], "scenarios": [], "comparisons": [],
}  # fmt: skip
"""What there is, put in the place of made-up text in three of four bodies, so that they get further."""


def _description() -> dict[str, Any]:
    app = FastAPI(title="bettercare", version="1")
    for router in ROUTERS:
        app.include_router(router)
    return app.openapi()


schema = schemathesis.openapi.from_dict(_description())


class Server:
    """A server with the demonstration data, and a token of each role."""

    def __init__(self, client: TestClient, tokens: dict[Role, str], known: dict[str, list[str]]) -> None:
        self.client, self.tokens, self.known = client, tokens, known

    def luck(self, case: schemathesis.Case) -> int:
        """The same number for the same request."""
        return zlib.crc32(repr((case.path_parameters, case.body, case.query)).encode())

    def sample(self, case: schemathesis.Case) -> None:
        """Put things there are in two of three addresses: made-up names would only ever find nothing."""
        given = case.path_parameters or {}
        luck = self.luck(case)
        for name in given:
            known = (
                self.known["year"]
                if name == "year"
                else self.known["ref"]
                if name == "ref"
                else self.known.get(name) or self.known.get(case.path, [])
            )
            if name == "plan" and ("/flow" in case.path or "/wards" in case.path):
                given[name] = LLR
            elif known and (name == "plan" or luck % 3):
                given[name] = known[luck % len(known)]
        if isinstance(case.body, dict) and luck % 4:
            for name, value in FITTING.items():
                if type(case.body.get(name)) is type(value):
                    case.body[name] = value


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("api")
    store = Store.open(folder / "demo.db")
    fill(store)
    tokens = {}
    for role in RIGHTS:
        user = create_user(store, "test", role.replace(" ", "-"), name=f"A {role}", role=role)  # type: ignore[arg-type]
        tokens[role] = issue_token(store, user, "a test")
    deployment = Deployment(store, {BCF: Plan.read(BCF), LLR: Plan.read(LLR)}, Settings(folder=folder / "runs"))
    deployment.jobs._busy = deployment.flow_jobs._busy = True  # Runs are asked for and never made.
    assessment = deployment.assessment(BCF)
    run = deployment.jobs.start(assessment.plan, Asked(0, 1), "test")
    held = assessment.registers
    rows = {
        "risks": held.risks, "actions": held.actions, "decisions": held.decisions, "meetings": held.meetings, "agenda": held.agenda,
        "declarations": held.declarations, "questions": held.questions, "ledger": held.entries, "milestones": assessment.schedule.milestones,
        "schemes": assessment.plan.schemes, "boards": tuple(assessment.boards.values()), "reports": (published.publish(store, assessment, "monthly", "", "test"),),
    }  # fmt: skip
    known = {
        "plan": [BCF],
        "metric": list(assessment.judgements),
        "year": ["2015-16", "2014-15"],
        "run": [run.id],
        "ref": list(assessment.web.links),
        "file": ["html", "pdf", "xlsx"],
    }
    for path in schema.raw_schema["paths"]:
        register = path.removeprefix("/api/v1/plans/{plan}/").partition("/")[0]
        known[path] = [row.id for row in rows.get(register, ())]
    with pytest.MonkeyPatch.context() as patch:
        for kind in published.WRITERS:
            # What a report looks like is tested elsewhere, and takes a second.
            patch.setitem(published.WRITERS, kind, lambda document: document.title.encode())
        # No lifespan: these jobs outlive no server.
        yield Server(TestClient(create_app(deployment), raise_server_exceptions=False), tokens, known)
    store.close()


def test_the_whole_api_is_described() -> None:
    assert sum(len(methods) for methods in schema.raw_schema["paths"].values()) >= OPERATIONS


@schema.parametrize()
@settings(max_examples=EXAMPLES)
def test_every_operation_answers_as_described(case: schemathesis.Case, server: Server) -> None:
    server.sample(case)
    sent = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    headers = {name: value for name, value in sent.headers.items() if name.lower() != "authorization"}
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body
    assert sent.method
    assert sent.url
    # Who may do most gets furthest; with one request in four comes one of the others.
    others = (*RIGHTS, "nobody")
    luck, right = server.luck(case), case.operation.definition.raw["x-right"]
    most = "flow manager" if right in RIGHTS["flow manager"] - RIGHTS["programme office"] else "programme office"
    for role in (most, *([] if luck % 4 else [others[luck // 4 % len(others)]])):
        own = headers | ({"Authorization": f"Bearer {server.tokens[role]}"} if role in RIGHTS else {})
        response = server.client.request(sent.method, sent.url, content=body, headers=own)
        try:
            case.validate_response(response, checks=CHECKS)
        except (AssertionError, FailureGroup) as failed:
            raise AssertionError(f"{role}: {sent.method} {sent.url} {body!r}: {response.text[:500]}") from failed
        may = role in RIGHTS and right in RIGHTS[role]
        assert may or response.status_code >= 400, f"{role} may not and could: {sent.method} {sent.url}"
