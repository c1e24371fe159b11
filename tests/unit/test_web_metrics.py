"""Metrics: their pages, entering and importing figures, changing the rules."""

from __future__ import annotations

import io
import re
from html import unescape

import pytest
from openpyxl import load_workbook

from bettercare.assurance.metrics import Actual, MetricRules
from bettercare.assurance.spc import RULE_SETS
from demo_client import check_outline, demo
from web_client import BCF, LLR, Client, client

__all__ = ["client", "demo"]

FIGURE = {"period": "2016-01-01", "value": "340.10", "status": "final", "source": "Sitrep"}
AT = f"/plans/{BCF}/metrics/m3"


def figures(client: Client) -> dict[str, Actual]:
    return {one.id: one for one in client.store.list(Actual, BCF)}


def follow(client: Client, answer: object) -> str:
    assert answer.status_code == 303, answer.text  # type: ignore[attr-defined]
    return client.get(answer.headers["location"]).text  # type: ignore[attr-defined]


@pytest.mark.parametrize("plan", [BCF, LLR])
def test_every_metric_has_a_page(demo: Client, plan: str) -> None:
    demo.sign_in("viewer")
    check_outline(demo.get(f"/plans/{plan}/metrics").text)
    for judgement in demo.deployment.assessment(plan).judgements.values():
        answer = demo.get(f"/plans/{plan}/metrics/{judgement.metric.id}")
        assert answer.status_code == 200
        check_outline(answer.text)
        assert "How it is judged" in answer.text


def test_the_page_of_a_metric_says_what_it_rests_on(demo: Client) -> None:
    text = demo.sign_in("viewer").get(AT).text
    assert "L865" in text, "the trajectory with its source"
    assert "361.98" in text
    assert "Making Data Count: outside a limit" in text, "the rule set, on the chart too"
    assert "revision 1, replaced" in text
    assert "Revised after two hospitals reported late" in text
    assert "/schemes/hdr7" in text, "schemes that should move it"
    assert "Where this comes from" in text
    assert "What follows" in text


def test_there_is_no_metric_of_another_name(demo: Client) -> None:
    answer = demo.sign_in("viewer").get(f"/plans/{BCF}/metrics/m99")
    assert answer.status_code == 404
    assert "no metric &#39;m99&#39;" in answer.text


def test_an_actual_is_entered_and_the_new_rating_is_said(demo: Client) -> None:
    demo.sign_in("editor")
    assert "selected" in demo.get(f"{AT}/actuals").text
    text = follow(demo, demo.submit(f"{AT}/actuals", FIGURE))
    assert "January 2016: 340.10 per 100,000 a month is stored. The rating is green." in text
    stored = figures(demo)["m3@2016-01-01#1"]
    assert str(stored.value) == "340.10"
    assert not stored.synthetic
    assert demo.store.history(Actual, BCF, stored.id)[0].by == "editor"


def test_a_second_figure_of_a_period_is_a_revision_and_the_first_is_kept(demo: Client) -> None:
    demo.sign_in("editor")
    before = figures(demo)["m3@2015-12-01#1"]
    follow(demo, demo.submit(f"{AT}/actuals", FIGURE | {"period": "2015-12-01", "value": "365"}))
    after = figures(demo)
    assert after["m3@2015-12-01#1"] == before
    assert after["m3@2015-12-01#2"].revision == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": ""}, "Enter value"),
        ({"value": "lots"}, "Value must be a number"),
        ({"value": "-1"}, "cannot be below nought"),
        ({"period": ""}, "Choose a period"),
        ({"period": "2016-01-15"}, "is not the first day of a month"),
        ({"period": "2016-02-01"}, "had not ended by 31 January 2016"),
        ({"source": " "}, "Enter source"),
        ({"period": "2015-12-01", "value": "364.21", "status": "provisional"}, "is already 364.21"),
        ({"denominator": "0", "numerator": "1"}, "must be above nought"),
    ],
)
def test_a_figure_that_cannot_be_right_is_refused_in_words_and_what_was_typed_is_kept(
    demo: Client, change: dict[str, str], said: str
) -> None:
    before = figures(demo)
    demo.sign_in("editor")
    answer = demo.submit(f"{AT}/actuals", FIGURE | {"note": "My long note"} | change)
    assert answer.status_code == 400
    assert said in answer.text
    assert "There is a problem" in answer.text
    assert "My long note" in answer.text
    assert "Error: " in re.search(r"<title>(.*?)</title>", answer.text, re.S)[1]  # type: ignore[index]
    check_outline(answer.text)
    assert figures(demo) == before


def test_the_rating_may_be_seen_before_the_figure_is_stored(demo: Client) -> None:
    before = figures(demo)
    answer = demo.sign_in("editor").submit(f"{AT}/actuals", FIGURE | {"step": "preview"})
    assert answer.status_code == 200
    preview = re.search(r'<section id="preview".*?</section>', answer.text, re.S)
    assert preview is not None
    assert "Not stored yet" in preview[0]
    assert "Green" in preview[0]
    assert figures(demo) == before


def test_a_figure_that_cannot_be_rated_says_why_in_the_preview(demo: Client) -> None:
    answer = demo.sign_in("editor").submit(f"{AT}/actuals", FIGURE | {"step": "preview", "value": ""})
    preview = re.search(r'<section id="preview".*?</section>', answer.text, re.S)
    assert preview is not None
    assert "It cannot be rated yet" in preview[0]
    assert "Enter value" in preview[0]


def test_two_who_enter_the_same_period_cannot_both_succeed(demo: Client) -> None:
    demo.sign_in("editor")
    stale = demo.deployment.assessment(BCF)
    follow(demo, demo.submit(f"{AT}/actuals", FIGURE))
    demo.deployment.assessment = lambda plan: stale  # type: ignore[method-assign]
    answer = demo.submit(f"{AT}/actuals", FIGURE | {"value": "341"})
    assert answer.status_code == 400
    assert "editor" in answer.text
    assert 'value="341"' in answer.text
    assert len([id for id in figures(demo) if id.startswith("m3@2016-01-01")]) == 1


def test_who_had_the_form_open_is_told_that_another_entered_the_period(demo: Client) -> None:
    demo.sign_in("editor")
    seen = re.search(r'name="seen" value="(\d+)"', demo.get(f"{AT}/actuals").text)
    assert seen is not None
    old = {"seen": seen[1]}
    follow(demo, demo.submit(f"{AT}/actuals", FIGURE | old))
    demo.sign_in("programme office")
    answer = demo.submit(f"{AT}/actuals", FIGURE | old | {"value": "341"})
    assert answer.status_code == 400
    assert "editor entered 340.10 per 100,000 a month for January 2016 while this page was open" in unescape(
        answer.text
    )
    assert 'value="341"' in answer.text
    now = re.search(r'name="seen" value="(\d+)"', answer.text)
    assert now is not None
    follow(demo, demo.submit(f"{AT}/actuals", FIGURE | {"value": "341", "seen": now[1]}))
    assert figures(demo)["m3@2016-01-01#2"].value == 341


def test_only_those_who_may_enter_see_and_use_the_form(demo: Client) -> None:
    demo.sign_in("viewer")
    assert "Enter a figure" not in demo.get(AT).text
    assert demo.get(f"{AT}/actuals").status_code == 403
    assert demo.submit(f"{AT}/actuals", FIGURE).status_code == 403


# -- rules -------------------------------------------------------------------------------------------------------------


def test_rules_are_changed_with_a_reason_and_the_chart_follows(demo: Client) -> None:
    demo.sign_in("programme office")
    page = demo.get(f"{AT}/rules").text
    check_outline(page)
    assert all(rules.title.replace("'", "&#39;") in page for rules in RULE_SETS.values())
    sent = {"preset": "nelson", "rebase": "", "rebase_reason": "", "fix_after": "", "amber": "10", "version": "0"}
    text = follow(demo, demo.submit(f"{AT}/rules", sent))
    assert "The rules are changed." in text
    assert "Nelson" in text
    rules = demo.store.read(MetricRules, BCF, "m3")
    assert (rules.preset, str(rules.amber)) == ("nelson", "10")
    assert "Rule set" in demo.get(f"/plans/{BCF}/changes/metric_rules/m3").text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"preset": "none such"}, "Choose a rule set"),
        ({"rebase": "2015-06-01", "rebase_reason": ""}, "Say what changed"),
        ({"rebase": "2015-06-15", "rebase_reason": "x"}, "is not the first day of a period"),
        ({"rebase": "June", "rebase_reason": "x"}, "must be dates such as"),
        ({"fix_after": "2"}, "must be 3 or more"),
        ({"rebase": "2015-12-01", "rebase_reason": "x"}, "No chart could be drawn"),
    ],
)
def test_rules_that_cannot_be_used_are_refused(demo: Client, change: dict[str, str], said: str) -> None:
    demo.sign_in("programme office")
    sent = {
        "preset": "making-data-count",
        "rebase": "",
        "rebase_reason": "",
        "fix_after": "",
        "amber": "",
        "version": "0",
    }
    answer = demo.submit(f"{AT}/rules", sent | change)
    assert answer.status_code == 400
    assert said in answer.text
    assert demo.store.find(MetricRules, BCF, "m3") is None


def test_the_second_to_change_the_rules_is_told_what_the_first_changed(demo: Client) -> None:
    demo.sign_in("programme office")
    sent = {"preset": "nelson", "rebase": "", "rebase_reason": "", "fix_after": "", "amber": "10", "version": "0"}
    demo.submit(f"{AT}/rules", sent)
    answer = demo.submit(f"{AT}/rules", sent | {"amber": "3"})
    assert answer.status_code == 409
    assert "Someone else changed this" in answer.text
    assert 'value="3"' in answer.text
    again = re.search(r'name="version" value="(\d+)"', answer.text)
    assert again is not None
    follow(demo, demo.submit(f"{AT}/rules", sent | {"amber": "3", "version": again[1]}))
    assert str(demo.store.read(MetricRules, BCF, "m3").amber) == "3"


def test_rules_are_the_programme_offices(demo: Client) -> None:
    assert demo.sign_in("editor").get(f"{AT}/rules").status_code == 403


# -- files -------------------------------------------------------------------------------------------------------------

HEAD = "metric,period,value,numerator,denominator,status,source,note\n"
IMPORT = f"/plans/{BCF}/metrics/import"


def upload(client: Client, content: bytes, name: str = "figures.csv") -> object:
    return client.post(IMPORT, data={"csrf": client.csrf}, files={"file": (name, content, "application/octet-stream")})


def test_a_file_is_shown_before_it_is_stored_and_stored_when_confirmed(demo: Client) -> None:
    demo.sign_in("editor")
    before = figures(demo)
    content = (
        HEAD
        + 'm3,2016-01,340.1,,,final,Sitrep,"commas, ""quotes"" & <tags>"\nm3,Dec 2015,365,,,final,Sitrep,\nm6,2015-12,138.26,,,provisional,,\n'
    )
    content = content.replace("provisional,,", "provisional,Same,")
    answer = upload(demo, content.encode())
    text = answer.text  # type: ignore[attr-defined]
    check_outline(text)
    assert "1 figure is new and 1 is a revision. Store them?" in text
    assert "364.21" in text
    assert "revision 2" in text
    assert figures(demo) == before, "nothing is stored by looking"
    rows = re.search(r'name="rows" value="(.*?)"', text, re.S)
    assert rows is not None
    import html

    done = follow(demo, demo.submit(IMPORT, {"rows": html.unescape(rows[1]), "name": "figures.csv"}))
    assert "2 figures are stored." in done
    after = figures(demo)
    assert set(after) - set(before) == {"m3@2016-01-01#1", "m3@2015-12-01#2"}
    assert after["m3@2016-01-01#1"].note == 'commas, "quotes" & <tags>'
    assert demo.store.history(Actual, BCF, "m3@2016-01-01#1")[0].why == "Imported from figures.csv"


def test_every_fault_of_a_file_is_shown_and_nothing_stored(demo: Client) -> None:
    demo.sign_in("editor")
    before = figures(demo)
    answer = upload(demo, (HEAD + "m9,2016-01,1,,,,x,\nm3,2016-01,lots,,,,x,\nm3,2015-13,1,,,,x,\n").encode())
    assert answer.status_code == 400  # type: ignore[attr-defined]
    text = answer.text  # type: ignore[attr-defined]
    check_outline(text)
    assert "Nothing was stored" in text
    assert all(f"row {row}" in text for row in (2, 3, 4))
    assert figures(demo) == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("figures.pdf", b"%PDF"),
        ("figures.xlsx", b"not a workbook"),
        ("figures.csv", b"\xff\xfe\x00\x01"),
        ("figures.csv", b""),
        ("../../etc/passwd", b"x"),
    ],
)
def test_a_file_of_another_sort_is_refused_in_words(demo: Client, name: str, content: bytes) -> None:
    answer = upload(demo.sign_in("editor"), content, name)
    assert answer.status_code == 400  # type: ignore[attr-defined]
    assert "Nothing was stored" in answer.text  # type: ignore[attr-defined]


def test_no_file_is_refused_in_words(demo: Client) -> None:
    answer = demo.sign_in("editor").submit(IMPORT)
    assert answer.status_code == 400
    assert "Choose a file." in answer.text


def test_the_template_is_a_workbook_that_can_be_sent_back(demo: Client) -> None:
    demo.sign_in("editor")
    answer = demo.get(f"/plans/{BCF}/metrics/template.xlsx")
    assert answer.headers["content-disposition"] == f'attachment; filename="{BCF}-actuals.xlsx"'
    book = load_workbook(io.BytesIO(answer.content))
    book["Actuals"].append(["m3", "2016-01", 340.1, None, None, "final", "Sitrep", None])
    filled = io.BytesIO()
    book.save(filled)
    assert "1 figure is new" in upload(demo, filled.getvalue(), "back.xlsx").text  # type: ignore[attr-defined]


# -- the data date -----------------------------------------------------------------------------------------------------


def test_the_data_date_is_moved_and_everything_is_judged_as_at_it(demo: Client) -> None:
    demo.sign_in("programme office")
    page = demo.get(f"/plans/{BCF}/programme").text
    check_outline(page)
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    sent = {"as_at-day": "31", "as_at-month": "3", "as_at-year": "2015", "section_75": "", "version": version[1]}
    text = follow(demo, demo.submit(f"/plans/{BCF}/programme", sent))
    assert "The pages now speak of 31 March 2015." in text
    assert demo.deployment.assessment(BCF).judgements["m3"].actuals[-1].period.isoformat() == "2015-03-01"
    again = demo.submit(f"/plans/{BCF}/programme", sent | {"as_at-year": "2016"})
    assert again.status_code == 409
    assert "Someone else changed this" in again.text


def test_a_data_date_that_is_none_is_refused(demo: Client) -> None:
    demo.sign_in("programme office")
    answer = demo.submit(
        f"/plans/{BCF}/programme", {"as_at-day": "31", "as_at-month": "2", "as_at-year": "2015", "version": "2"}
    )
    assert answer.status_code == 400
    assert "must be a real date" in answer.text
    assert demo.sign_in("editor").get(f"/plans/{BCF}/programme").status_code == 403


def test_a_file_of_another_kind_is_named_as_it_was_sent(demo: Client) -> None:
    demo.sign_in("editor")
    text = upload(demo, b"x", "home.png").text  # type: ignore[attr-defined]
    assert "home.png" in text
    assert "home.txt" not in text


def test_a_figure_that_cannot_be_has_error_in_the_title(demo: Client) -> None:
    answer = demo.sign_in("editor").submit(f"{AT}/actuals", {"period": "2016-01-01", "value": "lots", "source": "x"})
    assert answer.status_code == 400
    assert "<title>Error: " in answer.text
