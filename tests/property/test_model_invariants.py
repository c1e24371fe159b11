"""What must hold of the system model for any plan: on generated small plans, in the published case and in every run."""

from __future__ import annotations

import importlib
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bettercare.model.measures import Measure
from bettercare.model.result import Result
from bettercare.model.run import run
from bettercare.model.scenarios import Change, Scenario
from bettercare.plan import Plan
from small_plan import ORDINARY, Rows, raw_of, small_plan, small_plans, small_schemes, small_tables

Array = NDArray[np.float64]
Tables = Mapping[str, list[dict[str, Any]]]
RUNS = 24
RUN = importlib.import_module("bettercare.model.run")


def made(parts: tuple[Tables, Rows], runs: int = RUNS, **options: Any) -> Result:
    return run(small_plan(*parts), runs=runs, **options)


def rows(measure: Measure, index: int, year: int) -> Array:
    """One row in every run, the published case first."""
    drawn = measure.draws.get(index, year) if measure.draws is not None else None
    sampled = np.full(measure.runs, measure.published_case[index, year]) if drawn is None else drawn
    return np.concatenate([[measure.published_case[index, year]], sampled])


def summed(measure: Measure, year: int, **labels: str) -> Array:
    chosen = [
        i for i, its in enumerate(measure.labels) if all(its.get(word, "") == value for word, value in labels.items())
    ]
    return sum((rows(measure, i, year) for i in chosen), np.zeros(measure.runs + 1))


def every_row(result: Result) -> dict[tuple[str, str], Array]:
    """All values of a result by measure and key; shape (year, 1 + run)."""
    return {
        (name, key): np.stack([rows(measure, index, year) for year in range(len(result.years))])
        for name, measure in result.measures.items()
        for index, key in enumerate(measure.keys)
    }


def scenario(**changes: Any) -> Scenario:
    """A scenario that changes one scheme: ``scheme="s0", off=True``."""
    target = f"scheme:{changes.pop('scheme')}"
    return Scenario("test", "Test", tuple(Change(target, name, value, "test") for name, value in changes.items()))


# -- accounts that must agree --------------------------------------------------------------------------------------


@given(small_plans())
def test_keys_of_a_measure_are_its_own(parts: tuple[Tables, Rows]) -> None:
    for measure in made(parts, runs=0).measures.values():
        assert len(set(measure.keys)) == len(measure.keys)


@given(small_plans())
def test_gap_is_cost_less_funding(parts: tuple[Tables, Rows]) -> None:
    result = made(parts)
    for year in range(len(result.years)):
        gap, cost, funding = (summed(it, year) for it in (result.gap, result.cost, result.funding))
        np.testing.assert_allclose(gap, cost - funding, rtol=1e-9, atol=1e-3)


@given(small_plans())
def test_every_bridge_adds_up_in_the_published_case_and_in_every_run(parts: tuple[Tables, Rows]) -> None:
    result = made(parts)
    for name, measure in result.measures.items():
        for by in ("scheme", "kind", "theme"):
            for pod in sorted({labels.get("pod", "") for labels in measure.labels}) if measure.units else [None]:
                where = {} if pod is None else {"pod": pod}
                if not measure.labels:
                    continue
                bridge = result.bridge(name, by=by, **where)
                for column in ("published_case", "mean"):
                    values = bridge[column].to_list()
                    assert sum(values[:-1]) == pytest.approx(
                        values[-1], rel=1e-9, abs=1e-6 * max(map(abs, values)) * 1e-3 + 1e-9
                    )
                # The steps are sums of rows, each in one step and no more.
                whole = summed(measure, len(result.years) - 1, **where)
                assert whole[0] == pytest.approx(bridge["published_case"][-1], rel=1e-9, abs=1e-6)


@given(small_plans())
def test_activity_and_beds_are_what_the_effects_leave(parts: tuple[Tables, Rows]) -> None:
    """Worked out again from the pools: baseline x growth x what each effect leaves, and beds from stay and occupancy."""
    result = made(parts)
    system = result.system
    for case, cut in ((system.drivers.published_case(), slice(0, 1)), (system.drivers.case(0, RUNS), slice(1, None))):
        delivery = system.delivery.deliver(case)
        for (organisation, pod), pool in system.activity.pools.items():
            if pool.base is None:
                continue
            base = pool.base_units(case, 365.0)
            grown = base * pool.grown(result.plan, case, 365.0)[1]
            left = np.ones_like(grown)
            stay = np.ones_like(grown)
            for effect in pool.effects:
                if effect.row["kind"] != "add":
                    remains = np.maximum(1 - effect.fraction * effect.amount(case, delivery), 1e-12)
                    left, stay = (left, stay * remains) if effect.shortens else (left * remains, stay)
            year = len(result.years) - 1
            place = {"organisation": organisation, "pod": pod}
            arrived = summed(result.activity, year, **place, kind="arrival")[cut]
            np.testing.assert_allclose(
                summed(result.activity, year, **place)[cut], (grown * left)[year] + arrived, rtol=1e-9
            )
            if pool.bedded:
                per_bed = pool.beds_per_unit(case, 365.0)
                arrived = summed(result.beds, year, **place, kind="arrival")[cut]
                expected = (grown * left * stay)[year] * per_bed + arrived
                np.testing.assert_allclose(summed(result.beds, year, **place)[cut], expected, rtol=1e-9)
                full = pool.occupancy.at(case) if pool.occupancy else 1.0
                days = summed(result.bed_days, year, **place)[cut]
                np.testing.assert_allclose(days, summed(result.beds, year, **place)[cut] * full * 365.0, rtol=1e-9)


@given(small_plans())
def test_what_leaves_arrives(parts: tuple[Tables, Rows]) -> None:
    """Units where the plan moves one for one, beds where it moves bed for bed."""
    result = made(parts)
    for scheme in result.plan.schemes:
        for effect in scheme.effects:
            if not effect["becomes_pod"]:
                continue
            key = f"{scheme.id}.{effect.id}"
            measure = result.beds if effect["per_bed"] is not None else result.activity
            left = measure.keys.index(key) if key in measure.keys else None
            arrived = measure.keys.index(f"{key}>community.virtual-ward")
            for year in range(len(result.years)):
                gone = rows(measure, left, year) if left is not None else np.zeros(RUNS + 1)
                np.testing.assert_allclose(rows(measure, arrived, year), -gone, rtol=1e-9, atol=1e-9)


@given(small_plans())
def test_nothing_is_removed_twice_and_nothing_is_negative(parts: tuple[Tables, Rows]) -> None:
    result = made(parts)
    for measure in (result.activity, result.beds, result.bed_days):
        for labels in {(its["organisation"], its["pod"]) for its in measure.labels}:
            for year in range(len(result.years)):
                assert (summed(measure, year, organisation=labels[0], pod=labels[1]) >= -1e-9).all()
    assert all(np.isfinite(values).all() for values in every_row(result).values())


# -- order, seeds, pieces and workers ------------------------------------------------------------------------------


@given(small_plans(), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_the_order_of_files_and_rows_does_not_matter(parts: tuple[Tables, Rows], chance: random.Random) -> None:
    raw = raw_of(*parts)
    mixed = {name: list(its) for name, its in raw.items()}
    for its in mixed.values():
        chance.shuffle(its)
    one, other = run(small_plan(raw=raw), runs=8), run(small_plan(raw=mixed), runs=8)
    first, second = every_row(one), every_row(other)
    assert first.keys() == second.keys()
    for key, values in first.items():
        scale = np.abs(values).max()
        np.testing.assert_allclose(values, second[key], rtol=1e-9, atol=1e-9 * max(scale, 1.0), err_msg=str(key))


@given(small_plans(), st.integers(1, 9), st.integers(1, 40))
@settings(max_examples=30)
def test_pieces_do_not_change_the_numbers(parts: tuple[Tables, Rows], piece: int, runs: int) -> None:
    plan = small_plan(*parts)
    whole = every_row(run(plan, runs=runs))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RUN, "PIECE", piece)
        cut = every_row(run(plan, runs=runs))
    assert all(np.array_equal(values, cut[key]) for key, values in whole.items())


@given(small_plans(), st.integers(1, 30))
@settings(max_examples=30)
def test_the_first_runs_of_many_are_the_runs_of_few(parts: tuple[Tables, Rows], few: int) -> None:
    plan = small_plan(*parts)
    more, less = every_row(run(plan, runs=30)), every_row(run(plan, runs=few))
    assert all(np.array_equal(more[key][:, : few + 1], values) for key, values in less.items())


@given(small_plans(), st.integers(0, 2**31))
@settings(max_examples=20)
def test_the_same_seed_gives_the_same_numbers(parts: tuple[Tables, Rows], seed: int) -> None:
    one, other = every_row(made(parts, runs=6, seed=seed)), every_row(made(parts, runs=6, seed=seed))
    assert all(np.array_equal(values, other[key]) for key, values in one.items())


# -- common random numbers -----------------------------------------------------------------------------------------


def drawn(plan: Plan, *scenarios: Scenario) -> Mapping[str, Array]:
    """The level of every driver in every run."""
    drivers = run(plan, scenarios=scenarios).system.drivers
    return drivers.uniforms(0, RUNS)


@given(small_plans())
@settings(max_examples=30)
def test_an_added_scheme_changes_no_draw(parts: tuple[Tables, Rows]) -> None:
    tables, schemes = parts
    extra: dict[str, Any] = {
        "id": "extra",
        "delivery": "hopeful",
        "effects": [
            {"id": "e", "kind": "avoid", "organisation": "acute", "pod": "non-elective", "size": 3, "unit": "%"}
        ],
    }
    before, after = drawn(small_plan(tables, schemes)), drawn(small_plan(tables, [*schemes, extra]))
    assert before.keys() < after.keys()
    assert all(np.array_equal(values, after[name]) for name, values in before.items())


@given(
    small_plans(), st.sampled_from([{"off": True}, {"delay": 1}, {"end": "low"}, {"scale": 0.5}, {"probability": 0.5}])
)
@settings(max_examples=40)
def test_scenarios_differ_only_by_what_differs(parts: tuple[Tables, Rows], change: dict[str, Any]) -> None:
    tables, schemes = parts
    if not schemes:
        return
    plan = small_plan(tables, schemes)
    changed = scenario(scheme="s0", **change)
    before, after = drawn(plan), drawn(plan, changed)
    assert all(np.array_equal(values, after[name]) for name, values in before.items())
    # Schemes that neither are s0, nor wait for it, nor share a pool with it are untouched in every row.
    one, other = every_row(run(plan, runs=8)), every_row(run(plan, runs=8, scenarios=[changed]))
    waits = {"s0"}
    for scheme in schemes:
        if scheme.get("requires") in waits:
            waits.add(scheme["id"])
    touched = {(e.get("organisation"), e.get("pod")) for s in schemes if s["id"] in waits for e in s["effects"]}
    for (measure, key), values in one.items():
        scheme = next((s for s in schemes if key.startswith(f"{s['id']}.") and "@" in key), None)
        if measure == "saving" and scheme is not None and scheme["id"] not in waits:
            follows = [e for e in scheme["effects"] if e.get("follows")]
            followed = {
                (e["organisation"], e.get("pod"))
                for e in scheme["effects"]
                if e["id"] in {f["follows"] for f in follows}
            }
            share = any(e["unit"] == "%" and e["kind"] == "save" for s in schemes for e in s["effects"])
            if not followed & touched and not share:
                np.testing.assert_allclose(values, other[measure, key], rtol=1e-12, err_msg=key)


# -- more of a good thing ------------------------------------------------------------------------------------------


@given(small_plans(), st.floats(1.0, 3.0))
@settings(max_examples=40)
def test_a_larger_saving_never_widens_the_gap(parts: tuple[Tables, Rows], times: float) -> None:
    tables, schemes = parts
    larger = [
        {
            **s,
            "effects": [
                {**e, **{k: e[k] * times for k in ("size", "low", "likely", "high", "p10", "p90") if k in e}}
                if e["kind"] == "save"
                else e
                for e in s["effects"]
            ],
        }
        for s in schemes
    ]
    one, other = made((tables, schemes), runs=12), made((tables, larger), runs=12)
    for year in range(len(one.years)):
        before, after = summed(one.gap, year), summed(other.gap, year)
        assert (after <= before + 1e-6 * np.abs(before).max() + 1e-6).all()


@given(small_tables(), small_schemes())
@settings(max_examples=40)
def test_more_delivery_never_needs_more_beds(tables: Tables, schemes: Rows) -> None:
    """Where nothing is moved to other beds or added."""
    kept = [
        {
            **s,
            "effects": [
                {k: v for k, v in e.items() if not k.startswith(("becomes", "per_"))}
                | ({"kind": "avoid"} if e["kind"] == "shift" else {})
                for e in s["effects"]
                if e["kind"] != "add"
            ],
        }
        for s in schemes
    ]
    if not kept:
        return
    plan = small_plan(tables, kept)
    results = [run(plan, runs=12, scenarios=[scenario(scheme="s0", scale=scale)]) for scale in (0.0, 0.5, 1.0)]
    results.append(run(plan, runs=12))
    for year in range(len(plan.years)):
        none, half, full, plain = (summed(result.beds, year) for result in results)
        assert (half <= none * (1 + 1e-12)).all()
        assert (full <= half * (1 + 1e-12)).all()
        np.testing.assert_allclose(full, plain, rtol=1e-12)


# -- sizes ---------------------------------------------------------------------------------------------------------


@given(small_plans())
def test_absolute_sizes_are_what_the_bridge_shows(parts: tuple[Tables, Rows]) -> None:
    """In the year the last of a pool's sized effects is full, when everything happens as planned."""
    result = made(parts, runs=0)
    for pool in result.system.activity.pools.values():
        sized = [effect for effect in pool.effects if effect.row["kind"] != "add" and effect.figure.unit.name != "%"]
        if not sized:
            continue
        last = max(result.years.index(effect.row["by"] or result.years[-1]) for effect in sized)
        for effect in sized:
            in_beds = effect.figure.unit.name == "beds"
            if effect.figure.unit.name == "days":
                continue
            measure = result.beds if in_beds else result.activity
            gone = -measure.published_case[measure.keys.index(effect.key), last]
            assert gone == pytest.approx(effect.figure.value * effect.ramp[last], rel=1e-8)


def test_days_of_stay_are_taken_off_the_stay() -> None:
    schemes = [
        {
            "id": "s0",
            "effects": [
                {
                    "id": "days",
                    "kind": "shorten",
                    "organisation": "acute",
                    "pod": "non-elective",
                    "size": 0.5,
                    "unit": "days",
                },
                {"id": "cut", "kind": "avoid", "organisation": "acute", "pod": "non-elective", "size": 10, "unit": "%"},
            ],
        }
    ]
    result = run(small_plan(ORDINARY, schemes))
    place = {"organisation": "acute", "pod": "non-elective"}
    units, beds = result.activity.total(**place), result.beds.total(**place)
    assert beds * 365 * 0.9 / units == pytest.approx(4.5)
    assert units == pytest.approx(80000 * 1.12 * 0.9)


@given(st.lists(st.floats(0.1, 60.0), min_size=1, max_size=5))
def test_shares_multiply(shares: list[float]) -> None:
    schemes = [
        {
            "id": f"s{n}",
            "effects": [
                {"id": "e", "kind": "avoid", "organisation": "acute", "pod": "non-elective", "size": share, "unit": "%"}
            ],
        }
        for n, share in enumerate(shares)
    ]
    result = run(small_plan(ORDINARY, schemes))
    left = float(np.prod([1 - share / 100 for share in shares]))
    assert result.activity.total(organisation="acute", pod="non-elective") == pytest.approx(
        80000 * 1.12 * left, rel=1e-12
    )
