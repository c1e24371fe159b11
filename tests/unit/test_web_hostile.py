"""Text that tries to be markup, in every table of a plan and every row of its registers: nowhere does a page take it for markup."""

from __future__ import annotations

import csv
import json
import re
import shutil
import typing
from html import unescape
from importlib import resources
from io import BytesIO
from pathlib import Path
from urllib.parse import urldefrag

import openpyxl
import pytest

from bettercare.access.users import create_user
from bettercare.assurance.ledger import Entry
from bettercare.assurance.metrics import Actual
from bettercare.plan import Plan
from bettercare.store import Record, Store
from bettercare.web.forms import shape_of
from bettercare.web.pages import actions, decisions, meetings, questions, risks
from bettercare.web.state import Deployment, Settings
from demo_client import filled
from web_client import BCF, Client

EVIL = """'"><x-evil onload="1">&lt;"""
FORMULA = "=cmd|' /C calc'!A0"
TOLD = {
    "name",
    "milestone",
    "focus",
    "function",
    "statement",
    "risk",
    "mitigation",
    "where",
    "title",
    "owner",
    "definition",
}
"""Columns of a plan that hold words."""
REGISTERS = (
    actions.ACTIONS, decisions.DECISIONS, meetings.MEETINGS, meetings.AGENDA, meetings.DECLARATIONS, questions.QUESTIONS, risks.RISKS,
)  # fmt: skip


def _turned(folder: Path) -> Plan:
    """The Better Care Fund plan with markup in all its words."""
    with resources.as_file(resources.files("bettercare") / "plans" / BCF) as source:
        shutil.copytree(source, folder)
    for table in folder.glob("tables/*.csv"):
        with table.open(encoding="utf-8", newline="") as lines:
            heads, *rows = csv.reader(lines)
        with table.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            writer.writerows([heads, *([cell + EVIL if name in TOLD and cell else cell for name, cell in zip(heads, row, strict=False)] for row in rows)])  # fmt: skip
    for part in folder.rglob("*.yaml"):
        text = part.read_text(encoding="utf-8")
        part.write_text(re.sub(r"(?m)^(name|title|footprint|owner): (.+)$", lambda found: f"{found[1]}: {json.dumps(found[2] + EVIL)}", text), encoding="utf-8")  # fmt: skip
    return Plan.read(folder)


def _words(kind: type[Record]) -> list[str]:
    """Fields of a row that anybody may write anything in."""
    return [
        name
        for name, field in kind.model_fields.items()
        if field.annotation is str and shape_of(name, field) in ("text", "long") and not _fixed(field)
    ]


def _fixed(field: typing.Any) -> bool:
    return bool(field.exclude or any(getattr(rule, "pattern", None) for rule in field.metadata)) or field.title in (
        "Plan", "Reference", "Financial year", "Because of", "From", "To", "Reverses", "Time",
    )  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Client:
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copy(filled(), folder / "demo.db")
    store = Store.open(folder / "demo.db")
    with store.change(EVIL, EVIL) as changing:
        for kind in (register.kind for register in REGISTERS):
            for row in store.list(kind, BCF)[:3]:
                changing.replace(row.model_copy(update={name: getattr(row, name) + EVIL for name in _words(kind)}))
        spend = store.list(Entry, BCF)[-1]
        changing.add(spend.model_copy(update={"id": "abc123abc123", "note": EVIL}))
        last = max(
            (one for one in store.list(Actual, BCF) if one.metric == "m4"), key=lambda one: (one.period, one.revision)
        )
        changing.add(last.model_copy(update={"id": f"{last.metric}@{last.period}#{last.revision + 1}", "revision": last.revision + 1, "source": EVIL, "note": FORMULA}))  # fmt: skip
    client = Client(Deployment(store, {BCF: _turned(folder / BCF)}, Settings(note=EVIL)))
    for role in ("programme office", "administrator"):
        create_user(store, "test", role.replace(" ", "-"), name=EVIL, role=role)  # type: ignore[arg-type]
    return client


def _kind_of(path: str) -> str:
    """The shape of an address, so that three pages of each kind are looked at."""
    return re.sub(
        r"(?<=/)(?!plans|new|edit|remove|rules|actuals)[^/]*[@:0-9-][^/]*|(?<=chain/).+|(?<=schemes/).+",
        "*",
        path.partition("?")[0],
    )


def test_no_page_takes_words_for_markup(hostile: Client) -> None:
    seen: dict[str, int] = {}
    done: set[str] = set()
    for role, start in (("programme office", "/"), ("administrator", "/users")):
        hostile.sign_in(role)  # type: ignore[arg-type]
        waiting = ["/sign-in", start, f"/plans/{BCF}/reports/preview?kind=monthly", f"/plans/{BCF}/agenda"]
        while waiting:
            path = urldefrag(waiting.pop(0))[0]
            if (
                not path.startswith("/")
                or path in done
                or path.endswith((".xlsx", ".pdf", "file=pdf", "file=xlsx"))
                or path.startswith("/static")
            ):
                continue
            done.add(path)
            kind = _kind_of(path)
            seen[kind] = seen.get(kind, 0) + 1
            if seen[kind] > 3:
                continue
            shown = hostile.get(path)
            if shown.status_code == 303:
                continue
            assert shown.status_code == 200, f"{path} {shown.status_code}"
            assert "<x-evil" not in shown.text.lower(), (
                f"{path}: {shown.text[max(0, shown.text.lower().find('<x-evil') - 300) :][:400]}"
            )
            waiting += [unescape(one) for one in re.findall(r'href="([^"]*)"', shown.text)]
    assert len(seen) > 60, sorted(seen)


def test_what_is_refused_is_not_taken_for_markup(hostile: Client) -> None:
    hostile.sign_in("programme office")
    for path in (
        f"/plans/{EVIL}", f"/plans/{BCF}/metrics/{EVIL}", f"/plans/{BCF}/risks/{EVIL}", f"/plans/{BCF}/chain/{EVIL}", f"/plans/{BCF}/changes/{EVIL}/x",
        f"/plans/{BCF}/budget?year={EVIL}", f"/plans/{BCF}/budget/ledger?account={EVIL}", f"/plans/{BCF}/check?words={EVIL}", f"/plans/{BCF}/changes?by={EVIL}",
        f"/plans/{BCF}/risks/new?risk={EVIL}&pence={EVIL}&scheme={EVIL}", f"/plans/{BCF}/reports/preview?kind={EVIL}", f"/plans/{BCF}/milestones?theme={EVIL}",
        f"/sign-in?next={EVIL}", f"/plans/{BCF}/budget/overspend?pence={EVIL}&share={EVIL}", f"/plans/{BCF}/budget/sharing?avoided={EVIL}&exempt={EVIL}",
    ):  # fmt: skip
        shown = hostile.get(path)
        assert shown.status_code < 500, path
        assert "<x-evil" not in shown.text, path
    for name in (
        f"{EVIL}.csv",
        "../../../etc/passwd.csv",
        "a\r\nSet-Cookie: x=1.xlsx",
        "x" * 5000 + ".csv",
        "=1+1.csv",
    ):
        shown = hostile.post(
            f"/plans/{BCF}/metrics/import",
            data={"csrf": hostile.csrf},
            files={"file": (name, b'metric,period\n"<x-evil>",\xff\n')},
        )
        assert shown.status_code == 400, name
        assert "<x-evil" not in shown.text
        assert "x=1" not in shown.headers.get("set-cookie", "")


def test_no_cell_of_a_workbook_is_a_formula(hostile: Client) -> None:
    hostile.sign_in("programme office")
    for path in ("metrics/template.xlsx", "reports/preview?kind=monthly&file=xlsx"):
        answer = hostile.get(f"/plans/{BCF}/{path}")
        assert answer.status_code == 200
        book = openpyxl.load_workbook(BytesIO(answer.content))
        for sheet in book:
            for row in sheet.iter_rows():
                assert not [cell.value for cell in row if cell.data_type == "f"], sheet.title
