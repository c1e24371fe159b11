"""What is asked of a run: sums, bridges, probabilities, what moves it, and where numbers come from."""

from __future__ import annotations

import errno
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bettercare.errors import BettercareError, PlanError
from bettercare.model.measures import LABELS, Draws
from bettercare.model.result import Result
from bettercare.model.run import run
from bettercare.model.scenarios import Scenario
from small_plan import ORDINARY, Rows, small_plan

measures = importlib.import_module("bettercare.model.measures")

NE: dict[str, Any] = {"organisation": "acute", "pod": "non-elective"}
SCHEMES: Rows = [
    {
        "id": "teams",
        "name": "Teams in every locality",
        "delivery": "hopeful",
        "effects": [
            {
                "id": "beds", "kind": "avoid", **NE, "unit": "beds", "size": 100,
                "becomes_organisation": "community", "becomes_pod": "community-contact", "per_unit": 8,
            },
            {"id": "money", "kind": "save", "organisation": "acute", "unit": "GBP m", "size": 10, "follows": "beds"},
        ],
    },
    {"id": "thrift", "delivery": "hopeful", "effects": [{"id": "money", "kind": "save", "organisation": "acute", "unit": "GBP m", "size": 20}]},
    {"id": "talk", "delivery": "hopeful"},
]  # fmt: skip


@pytest.fixture(scope="module")
def result() -> Result:
    return run(small_plan(ORDINARY, SCHEMES), runs=300)


def test_sums_by_any_word_are_the_whole(result: Result) -> None:
    whole = result.gap(year="2020/21")
    for word in LABELS:
        assert result.gap(by=word, year="2020/21")["published_case"].sum() == pytest.approx(whole["published_case"][0])
    assert result.gap().height == 5
    assert result.gap(by=("organisation", "kind"), year=["2018/19", "2020/21"]).columns[:3] == [
        "organisation",
        "kind",
        "year",
    ]
    assert whole["p10"][0] < whole["p50"][0] < whole["p90"][0]
    assert result.gap.total() == whole["published_case"][0]
    assert np.quantile(result.gap.sample(), 0.1) == pytest.approx(whole["p10"][0])
    assert result.gap.frame.filter(pl.col("year") == "2020/21")["value"].sum() == pytest.approx(
        whole["published_case"][0]
    )
    assert "gap in GBP" in repr(result.gap)
    assert repr(result) == "<run of example: 300 runs, seed 2016>"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (lambda r: r.gap(by="colour"), "'colour' is not a word"),
        (lambda r: r.gap(year="2030/31"), "not a year of the plan"),
        (lambda r: r.gap(organisation="nobody"), "no organisation 'nobody'"),
        (lambda r: r.activity(), "cannot be added"),
        (
            lambda r: r.activity(by="organisation", organisation="acute", pod=["non-elective", "nothing"]),
            "no pod 'nothing'",
        ),
        (lambda r: r.measure("joy"), "no measure 'joy'"),
        (lambda r: r.probability("gap"), "A probability of what"),
        (lambda r: r.bridge("activity"), "cannot be added"),
    ],
)
def test_questions_that_have_no_answer(result: Result, question: Any, said: str) -> None:
    with pytest.raises(BettercareError, match=said):
        question(result)


def test_activity_of_different_units_is_never_added(result: Result) -> None:
    frame = result.activity(by="pod", year="2020/21")
    assert frame.height == 4
    with pytest.raises(BettercareError, match="admissions and contacts"):
        result.activity.total()
    with pytest.raises(BettercareError, match="cannot be added"):
        result.explain("activity")


def test_without_runs_there_is_only_the_published_case() -> None:
    its = run(small_plan(ORDINARY, SCHEMES))
    assert its.gap().columns == ["year", "published_case"]
    with pytest.raises(BettercareError, match="Nothing was sampled"):
        its.gap.sample()
    with pytest.raises(BettercareError, match="Nothing was sampled"):
        its.drivers()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"runs": -1}, "-1 runs"),
        ({"runs": 2_000_000}, "runs cannot be made"),
        ({"workers": 0}, "0 workers"),
        ({"scenarios": ["x"]}, "no scenario 'x'"),
    ],
)
def test_runs_that_cannot_be_made(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BettercareError, match=said):
        run(small_plan(), **options)


def test_progress_is_told_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    run(small_plan(ORDINARY, SCHEMES), runs=2500, progress=lambda done, asked: seen.append((done, asked)))
    assert seen == [(1000, 2500), (2000, 2500), (2500, 2500)]


def test_a_probability_is_the_share_of_runs_inside(result: Result) -> None:
    values = result.gap.sample()
    middle = float(np.median(values))
    assert result.probability("gap", at_most=middle) == pytest.approx((values <= middle).mean())
    assert result.probability("gap", at_least=middle, at_most=middle + 1e12) == pytest.approx((values >= middle).mean())


def test_a_plan_that_balances_to_the_pound_balances() -> None:
    """Sums of many rows come out a little off zero."""
    schemes = [
        {"id": f"s{n}", "effects": [{"id": "e", "kind": "save", "organisation": "acute", "unit": "GBP m", "size": 0.1}]}
        for n in range(30)
    ]
    tables = {
        **ORDINARY,
        "growth": [],
        "funding": [{"id": "opening", "kind": "opening-position", "year": "2016/17", "value": -3}],
    }
    assert run(small_plan(tables, schemes), runs=5).probability("gap", at_most=0) == 1.0


def test_what_moves_the_gap_most_and_what_does_not_move_it() -> None:
    many = run(small_plan(ORDINARY, SCHEMES), runs=4000)
    frame = many.drivers("gap")
    swing = dict(zip(frame["driver"], frame["swing"]))
    assert swing["growth:more-money"] < 0 < swing["growth:cost-acute"]
    assert abs(swing["scheme:talk:size"]) < 0.02 * abs(swing["growth:cost-acute"])
    assert frame["swing"].abs().is_sorted(descending=True)
    assert frame["rank_correlation"].is_between(-1, 1).all()
    assert many.drivers("gap", top=3).height == 3
    # Common causes stand beside what is each driver's own.
    assert {"cause:Demand", "cause:Capacity"} < set(frame["driver"])


def test_a_measure_nothing_moves_has_no_drivers_worth_naming() -> None:
    frame = run(small_plan({**ORDINARY, "growth": []}, SCHEMES), runs=200).drivers(
        "beds", organisation="acute", pod="elective"
    )
    assert frame["swing"].abs().max() < 1e-6
    assert frame["rank_correlation"].abs().max() == 0.0


def test_bridges_name_schemes_and_start_where_the_measure_starts(result: Result) -> None:
    bridge = result.bridge("beds", organisation="acute")
    assert bridge["step"].to_list()[0] == "Start"
    assert "Teams in every locality" in bridge["step"].to_list()
    assert bridge["published_case"][0] == pytest.approx(80000 * 5 / (365 * 0.9) + 250)
    gap = result.bridge("gap")
    assert gap["step"].to_list()[0] == "Do nothing"
    assert gap["kind"].to_list()[-1] == "end"


def test_the_tree_of_a_number_adds_up_and_ends_in_sourced_figures(result: Result) -> None:
    for name in result.measures:
        measure = result.measure(name)
        for pod in sorted({labels["pod"] for labels in measure.labels}) if measure.units else [None]:
            tree = result.explain(name, **({"pod": pod} if pod else {}))
            for _, node in tree.walk():
                if node.adds and node.children:
                    assert sum(child.value for child in node.children) == pytest.approx(node.value, rel=1e-9, abs=1e-6)
                if not node.children and not node.adds:
                    assert node.basis, f"{name}: {node.label}"
                    assert node.source


def test_what_a_result_rests_on() -> None:
    tables = {**ORDINARY, "spend": [{**row, "basis": "assumed", "note": "guessed"} for row in ORDINARY["spend"]]}
    its = run(small_plan(tables, SCHEMES))
    assert {figure.id for figure in its.rests_on("cost")} >= {"spend.acute", "spend.council"}
    assert not its.rests_on("beds")


def test_values_held_on_disk_are_the_values_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = small_plan(ORDINARY, SCHEMES)
    held = run(plan, runs=1001)
    monkeypatch.setattr(measures, "IN_MEMORY", 1000)
    filed = run(plan, runs=1001)
    for name, measure in held.measures.items():
        other = filed.measure(name)
        assert measure.draws is not None
        assert other.draws is not None
        assert other.draws.draws._held is None
        for row in range(len(measure.keys)):
            for year in range(5):
                one, two = measure.draws.get(row, year), other.draws.get(row, year)
                assert (one is None) == (two is None)
                assert one is None or np.array_equal(one, two)
    assert held.bridge("gap").equals(filed.bridge("gap"))


def test_no_room_for_values_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def seek(self, position: int, whence: int) -> int:
            return 0

        def write(self, data: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None: ...

    monkeypatch.setattr(measures, "IN_MEMORY", 0)
    monkeypatch.setattr(measures.tempfile, "TemporaryFile", lambda **options: Full())
    with pytest.raises(BettercareError, match="cannot be kept"):
        Draws(1, 1, 10).put(0, [np.zeros((1, 10))])


def test_rows_that_share_values_are_held_once(result: Result) -> None:
    row = result.gap.keys.index("thrift.money@acute")
    other = result.cost.keys.index("thrift.money@acute")
    assert result.gap.draws is not None
    assert result.cost.draws is not None
    assert result.gap.draws.index[row] == result.cost.draws.index[other] is not None


# -- scenario files ------------------------------------------------------------------------------------------------


def test_a_scenario_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "late.yaml"
    path.write_text(
        "id: late\ntitle: All late\nchanges:\n  - scheme: thrift\n    delay: 1\n    end: low\n  - growth: cost-acute\n    value: 24\n"
    )
    its = run(small_plan(ORDINARY, SCHEMES), scenarios=[path])
    assert its.scenarios[0].title == "All late"
    assert its.saving.total(scheme="thrift") == pytest.approx(20e6 * 0.2 * 0.75)
    assert its.cost.total(kind="growth") == pytest.approx(0.24 * 800e6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("changes: []\n", "changes nothing"),
        ("id: x\n", "changes nothing"),
        ("colour: red\nchanges:\n  - scheme: thrift\n    off: yes\n", "'colour' is not known"),
        ("changes:\n  - scheme: thrift\n", "not clear"),
        ("changes:\n  - scheme: thrift\n    off: perhaps\n", "off is yes or no"),
        ("changes:\n  - scheme: thrift\n    delay: 1.5\n", "whole number of years"),
        ("changes:\n  - scheme: thrift\n    delay: -1\n", "whole number of years"),
        ("changes:\n  - scheme: thrift\n    end: middle\n", "low or high"),
        ("changes:\n  - scheme: thrift\n    scale: -1\n", "out of range"),
        ("changes:\n  - scheme: thrift\n    probability: 2\n", "out of range"),
        ("changes:\n  - growth: cost-acute\n    value: lots\n", "lots"),
        ("changes:\n  - growth: cost-acute\n    size: 3\n", "takes a value and nothing else"),
        ("changes:\n  - keep_beds: teams.beds\n    beds: -3\n", "cannot be negative"),
        ("changes:\n  - weather: fine\n", "names nothing to change"),
    ],
)
def test_scenario_files_that_cannot_be_used(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(BettercareError, match=said) as caught:
        Scenario.read(path)
    assert "wrong.yaml" in str(caught.value)


def test_net_present_value_counts_the_benefit_for_the_whole_life() -> None:
    """Acute reconfiguration: 25.6 a year for forty years from 2020/21, by the annuity formula."""
    its = run("llr-stp-2016")
    acute = its.capital_case().row(0, named=True)
    spend = its.capital(programme="acute")["published_case"].to_numpy()
    cost = sum(amount / 1.035**year for year, amount in enumerate(spend))
    benefit = 25.6e6 * (1 - 1.035**-40) / 0.035 / 1.035**3
    assert acute["net_present_value"] == pytest.approx(benefit - cost)


@pytest.mark.parametrize(
    "change",
    [
        "scheme: provider-efficiency\n    scale: 1000",
        "scheme: integrated-teams\n    scale: 11",
        "growth: beds-non-elective\n    value: -5000",
        "growth: cost-uhl\n    value: -101",
    ],
)
def test_a_scenario_that_would_remove_more_than_there_is_is_refused(tmp_path: Path, change: str) -> None:
    path = tmp_path / "much.yaml"
    path.write_text(f"id: much\nchanges:\n  - {change}\n", encoding="utf-8")
    with pytest.raises(PlanError, match=r"more than (there is|it spends)"):
        run("llr-stp-2016", scenarios=path)


def test_one_scenario_need_not_be_a_list() -> None:
    assert run("llr-stp-2016", scenarios="no-integrated-teams").scenarios[0].id == "no-integrated-teams"
