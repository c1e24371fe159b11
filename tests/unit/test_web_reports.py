"""Reports on pages: looked at, published, downloaded, checked. And the changes of a plan."""

from __future__ import annotations

import hashlib
import re

import pytest
from sqlalchemy import text as sql

from bettercare.assurance.actions import Action
from bettercare.assurance.metrics import Actual
from bettercare.reports.published import Published
from demo_client import check_outline, demo
from web_client import BCF, Client, client

__all__ = ["client", "demo"]

AT = f"/plans/{BCF}/reports"


@pytest.mark.parametrize(
    ("file", "type_", "starts"),
    [("html", "text/html; charset=utf-8", b"<!"), ("pdf", "application/pdf", b"%PDF-"), ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK")],
)  # fmt: skip
def test_a_preview_is_made_in_each_form_and_nothing_is_kept(demo: Client, file: str, type_: str, starts: bytes) -> None:
    answer = demo.sign_in("viewer").get(f"{AT}/preview?kind=monthly&file={file}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == type_
    assert answer.content.lstrip().startswith(starts)
    assert demo.store.list(Published, BCF) == ()


def test_a_report_on_a_page_of_its_own_can_run_nothing(demo: Client) -> None:
    policy = demo.sign_in("viewer").get(f"{AT}/preview").headers["content-security-policy"]
    assert policy.startswith("sandbox;")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy


def test_a_report_is_published_frozen_and_downloaded(demo: Client) -> None:
    demo.sign_in("programme office")
    answer = demo.submit(AT, {"kind": "monthly"})
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{AT}/monthly-2016-01"
    page = demo.get(answer.headers["location"]).text
    check_outline(page)
    assert "it is as it was published" in page
    assert "It will not change." in page
    check_outline(demo.get(AT).text)
    files = {name: demo.get(f"{AT}/monthly-2016-01/{name}") for name in ("html", "pdf", "xlsx")}
    for name, file in files.items():
        assert hashlib.sha256(file.content).hexdigest() in page
        assert file.headers["content-disposition"].endswith(f'filename="{BCF}-monthly-2016-01.{name}"')
    with demo.store.change("test") as changing:
        changing.add(Actual(plan=BCF, id="m3@2016-01-01#1", metric="m3", period="2016-01-01", value="300", source="x"))
    assert demo.get(f"{AT}/monthly-2016-01/pdf").content == files["pdf"].content


def test_a_form_that_is_sent_twice_publishes_one_report(demo: Client) -> None:
    demo.sign_in("programme office")
    seen = re.search(r'name="seen" value="(\d+)"', demo.get(f"{AT}/publish").text)
    assert seen is not None
    form = {"kind": "monthly", "seen": seen[1]}
    assert (
        demo.submit(AT, form).headers["location"]
        == demo.submit(AT, form).headers["location"]
        == f"{AT}/monthly-2016-01"
    )
    assert len(demo.store.list(Published, BCF)) == 1
    now = re.search(r'name="seen" value="(\d+)"', demo.get(f"{AT}/publish").text)
    assert now is not None
    assert demo.submit(AT, form | {"seen": now[1]}).headers["location"] == f"{AT}/monthly-2016-01-2"


def test_a_report_that_was_tampered_with_is_shown_as_such(demo: Client) -> None:
    demo.sign_in("programme office").submit(AT, {"kind": "monthly"})
    with demo.store.engine.begin() as connection:
        connection.execute(sql("UPDATE published_reports SET html = :html"), {"html": b"<p>All is well</p>"})
    text = demo.get(f"{AT}/monthly-2016-01").text
    assert "Not as it was published" in text
    assert "it is as it was published" not in text


def test_a_boards_report_is_published_for_that_board(demo: Client) -> None:
    board = next(iter(demo.deployment.plans[BCF]["boards"])).id
    answer = demo.sign_in("programme office").submit(AT, {"kind": "board", "board": board})
    assert answer.headers["location"] == f"{AT}/board-{board}-2016-01"


@pytest.mark.parametrize("form", [{"kind": "board", "board": "none-such"}, {"kind": "board"}, {"kind": "weekly"}, {}])
def test_a_report_of_no_board_or_kind_is_refused(demo: Client, form: dict[str, str]) -> None:
    answer = demo.sign_in("programme office").submit(AT, dict(form))
    assert answer.status_code == 400
    assert "Choose the board" in answer.text or "not a kind of report" in answer.text
    assert demo.store.list(Published, BCF) == ()


def test_only_those_who_may_publish_can(demo: Client) -> None:
    demo.sign_in("board")
    assert "Publish" not in demo.get(AT).text.partition("<main")[2].replace("Published", "")
    assert demo.submit(AT, {"kind": "monthly"}).status_code == 403
    assert demo.get(f"{AT}/publish").status_code == 403


def test_publishing_is_asked_about_first(demo: Client) -> None:
    demo.sign_in("programme office")
    assert f"{AT}/publish?kind=monthly" in demo.get(AT).text
    board = next(iter(demo.deployment.plans[BCF]["boards"]))
    for address, called in (
        ("publish", "monthly programme report"),
        (f"publish?kind=board&board={board.id}", str(board["name"])),
    ):
        page = demo.get(f"{AT}/{address}").text
        check_outline(page)
        assert "It will be frozen" in page
        assert called in page
    assert demo.store.list(Published, BCF) == ()
    assert "Choose the board" in demo.get(f"{AT}/publish?kind=board&board=none-such").text


@pytest.mark.parametrize("path", ["none-such", "none-such/pdf", "preview?kind=board&board=none-such"])
def test_there_is_no_report_of_another_name(demo: Client, path: str) -> None:
    assert demo.sign_in("viewer").get(f"{AT}/{path}").status_code == 404


# -- changes -----------------------------------------------------------------------------------------------------------


def test_changes_say_who_what_when_and_before_and_after(demo: Client) -> None:
    with demo.store.change("ann", "Meeting of May") as changing:
        action = changing.add(Action(plan=BCF, id="mine", action="Look into it", officers="Ann", due="2016-02-01"))
    with demo.store.change("bob", "Late") as changing:
        changing.replace(action.model_copy(update={"status": "red", "comments": "Stuck"}))
    demo.sign_in("viewer")
    text = demo.get(f"/plans/{BCF}/changes").text
    check_outline(text)
    first = re.search(r'<ol class="bc-changes">\s*<li>(.*?)</li>', text, re.S)
    assert first is not None
    assert "Action changed" in first[1]
    assert "bob" in first[1]
    assert "Late" in first[1]
    assert f"/plans/{BCF}/actions/mine" in first[1]
    assert re.search(r"<del[^>]*>green</del>.*<ins[^>]*>red</ins>", first[1], re.S)
    history = demo.get(f"/plans/{BCF}/changes/actions/mine").text
    check_outline(history)
    assert history.index("bob") < history.index("ann")
    assert "1 February 2016" in history


def test_changes_are_filtered_by_kind_and_person_and_paged(demo: Client) -> None:
    demo.sign_in("viewer")
    figures = demo.get(f"/plans/{BCF}/changes?kind=actuals").text
    heads = re.findall(r'changes__head"><strong>(.*?)</strong>', figures)
    assert set(heads) == {"Figure added"}
    older = re.search(r'href="([^"]*)" rel="next"', figures)
    assert older is not None
    second = demo.get(older[1].replace("&amp;", "&")).text
    assert 'rel="prev"' in second
    links = re.compile(rf"/plans/{BCF}/changes/actuals/([^\"]*)")
    assert not set(links.findall(figures)) & set(links.findall(second))
    assert "No change matches." in demo.get(f"/plans/{BCF}/changes?by=nobody").text


def test_the_history_of_a_ref_with_awkward_letters_is_found(demo: Client) -> None:
    text = demo.sign_in("viewer").get(f"/plans/{BCF}/changes/actuals/m3%402015-12-01%231").text
    assert "364.21" in text
    assert f"/plans/{BCF}/metrics/m3" in text


def test_a_register_that_is_not_there_is_refused(demo: Client) -> None:
    demo.sign_in("administrator")
    assert demo.get(f"/plans/{BCF}/changes/users/office").status_code == 404
    assert demo.get(f"/plans/{BCF}/changes?page=0").status_code in (400, 422)
    assert "Nothing has been changed" in demo.get(f"/plans/{BCF}/changes/metric_rules/m6").text
