"""What must hold of the row-level mode whatever the rows, the effects and the seed."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bettercare.errors import BettercareError
from bettercare.model import resample
from bettercare.model.rows import Between, RowEffect, RowGrowth, RowModel, RowResult, Size, run_rows

GOLDEN = 0x9E3779B97F4A7C15
FEW = settings(deadline=None, max_examples=40)

INPATIENT = st.fixed_dictionaries(
    {
        "age": st.integers(0, 130),
        "sex": st.sampled_from(["male", "female", "other", "unknown"]),
        "specialty": st.sampled_from(["surgery", "medicine"]),
        "admission_method": st.sampled_from(["elective", "day-case", "emergency", "maternity", "other"]),
        "length_of_stay": st.integers(0, 40),
        "site": st.sampled_from(["North", "South", "East"]),
    }
)
SHARES = st.floats(0, 1)
FACTORS = st.floats(0, 4)


@st.composite
def sizes(draw: st.DrawFn) -> Size:
    if draw(st.booleans()):
        return Size(draw(SHARES))
    low, likely, high = sorted(draw(st.tuples(SHARES, SHARES, SHARES)))
    return Size(likely, low, high)


@st.composite
def wheres(draw: st.DrawFn) -> dict[str, Any]:
    where: dict[str, Any] = {}
    if draw(st.booleans()):
        where["pod"] = draw(st.sampled_from(["elective", "non-elective", ("day-case", "elective")]))
    if draw(st.booleans()):
        where["age"] = Between(*sorted(draw(st.tuples(st.integers(0, 130), st.integers(0, 130)))))
    if draw(st.booleans()):
        where["length_of_stay"] = Between(1)
    return where


@st.composite
def effects(draw: st.DrawFn, name: str) -> RowEffect:
    size, where = draw(sizes()), draw(wheres())
    kind = draw(st.sampled_from(["avoid", "shift", "days", "first", "same-day"]))
    if kind == "avoid":
        return RowEffect(name, "avoid", "inpatients", size, where)
    if kind == "shift":
        becomes = draw(st.sampled_from(["day-case", "outpatient/procedure", "virtual-ward"]))
        return RowEffect(name, "shift", "inpatients", size, where, becomes)
    if kind == "same-day":
        return RowEffect(name, "shorten", "inpatients", size, where, how="same-day")
    return RowEffect(
        name, "shorten", "inpatients", size, where, first_days=draw(st.integers(1, 3)) if kind == "first" else None
    )


@st.composite
def models(draw: st.DrawFn) -> RowModel:
    return RowModel(
        growth=tuple(
            RowGrowth.flat(f"growth {n}", draw(FACTORS), draw(wheres())) for n in range(draw(st.integers(0, 2)))
        ),
        effects=tuple(draw(effects(f"effect {number}")) for number in range(draw(st.integers(0, 4)))),
    )


ROWS = st.lists(INPATIENT, min_size=1, max_size=12)
SEEDS = st.integers(-(2**70), 2**70)


def run(rows: list[dict[str, Any]], model: RowModel, **options: Any) -> RowResult:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "inpatients.parquet"
        pl.DataFrame(rows).write_parquet(path)
        return run_rows({"inpatients": path}, model, **{"runs": 12} | options)


def same(one: RowResult, other: RowResult) -> bool:
    return one.cells.equals(other.cells) and all(
        np.array_equal(getattr(one, name)[measure], getattr(other, name)[measure])
        for name in ("drawn", "baseline", "changes")
        for measure in ("activity", "bed_days")
    )


@FEW
@given(rows=ROWS, model=models(), seed=SEEDS, chunk=st.integers(1, 7), workers=st.integers(1, 3))
def test_chunks_and_workers_change_nothing(
    rows: list[dict[str, Any]], model: RowModel, seed: int, chunk: int, workers: int
) -> None:
    whole = run(rows, model, seed=seed)
    assert same(whole, run(rows, model, seed=seed, rows_at_once=chunk, workers=workers))


@FEW
@given(rows=ROWS, model=models(), seed=SEEDS, order=st.randoms())
def test_the_order_of_growth_and_effects_changes_nothing(
    rows: list[dict[str, Any]], model: RowModel, seed: int, order: Any
) -> None:
    growth, effects = list(model.growth), list(model.effects)
    order.shuffle(growth)
    order.shuffle(effects)
    shuffled = replace(model, growth=tuple(growth), effects=tuple(effects))
    assert same(run(rows, model, seed=seed), run(rows, shuffled, seed=seed))


@FEW
@given(rows=ROWS, model=models(), seed=SEEDS)
def test_fewer_runs_are_the_first_of_more(rows: list[dict[str, Any]], model: RowModel, seed: int) -> None:
    few, more = run(rows, model, seed=seed, runs=5), run(rows, model, seed=seed, runs=12)
    for measure in ("activity", "bed_days"):
        assert np.array_equal(few.drawn[measure], more.drawn[measure][:5])


@FEW
@given(rows=ROWS, model=models(), added=effects("added"), seed=SEEDS)
def test_an_added_effect_moves_no_other_size_and_no_row_it_does_not_choose(
    rows: list[dict[str, Any]], model: RowModel, added: RowEffect, seed: int
) -> None:
    old_rows = [row | {"new": False, "site": "old"} for row in rows]
    new_rows = [row | {"new": True, "site": "new"} for row in rows]
    added = replace(added, where={**added.where, "new": True})
    plain = run(old_rows + new_rows, model, seed=seed)
    more = run(old_rows + new_rows, replace(model, effects=(*model.effects, added)), seed=seed)
    assert more.factors.filter(pl.col("name") != "added").equals(plain.factors)
    for measure in ("activity", "bed_days"):
        before = plain.draws(measure, by="pod", site="old") if "old" in plain.cells["site"] else None
        after = more.draws(measure, by="pod", site="old") if "old" in more.cells["site"] else None
        assert before is None or (after is not None and before.equals(after))


@FEW
@given(rows=ROWS, model=models(), where=wheres(), size=SHARES, part=SHARES, seed=SEEDS)
def test_avoiding_more_never_leaves_more(
    rows: list[dict[str, Any]], model: RowModel, where: dict[str, Any], size: float, part: float, seed: int
) -> None:
    strong, weak = (
        run(
            rows,
            replace(model, effects=(*model.effects, RowEffect("tested", "avoid", "inpatients", Size(share), where))),
            seed=seed,
        )
        for share in (size, size * part)
    )
    for measure in ("activity", "bed_days"):
        assert (strong.drawn[measure].sum(axis=1) <= weak.drawn[measure].sum(axis=1)).all()


@FEW
@given(rows=ROWS, model=models(), seed=SEEDS)
def test_shifts_conserve_activity(rows: list[dict[str, Any]], model: RowModel, seed: int) -> None:
    without = replace(model, effects=tuple(effect for effect in model.effects if effect.kind != "shift"))
    before, after = run(rows, without, seed=seed), run(rows, model, seed=seed)
    assert np.array_equal(before.drawn["activity"].sum(axis=1), after.drawn["activity"].sum(axis=1))
    moved = [place for place, (_, kind) in enumerate(after.causes) if kind == "shift"]
    assert after.changes["activity"][:, :, moved].sum() == pytest.approx(0, abs=1e-6)


@FEW
@given(rows=ROWS, model=models(), seed=SEEDS)
def test_the_bridge_adds_up_in_every_run(rows: list[dict[str, Any]], model: RowModel, seed: int) -> None:
    result = run(rows, model, seed=seed)
    for measure in ("activity", "bed_days"):
        assert np.isfinite(result.changes[measure]).all()
        for _, bars in result.bridge(measure).group_by("pod"):
            end = bars.filter(pl.col("kind") == "result")["mean"][0]
            assert bars.filter(pl.col("kind") != "result")["mean"].sum() == pytest.approx(end, abs=1e-6)


@FEW
@given(rows=ROWS, model=models(), seed=SEEDS)
def test_expected_change_is_the_product_of_what_is_left(rows: list[dict[str, Any]], model: RowModel, seed: int) -> None:
    """The bars of a bridge, worked out a row at a time: activity that stays or goes, and days that are left."""
    result = run(rows, model, seed=seed, runs=3)
    factors = {(row["name"]): row for row in run(rows, model, seed=seed, runs=1).factors.iter_rows(named=True)}
    activity = days = 0.0
    for row in rows:
        pod = {"elective": "elective", "day-case": "day-case", "maternity": "maternity"}.get(
            row["admission_method"], "non-elective"
        )

        def chooses(where: Any, row: dict[str, Any] = row, pod: str = pod) -> bool:
            for column, condition in where.items():
                value: Any = pod if column == "pod" else row[column]
                if isinstance(condition, Between):
                    if not (condition.low or 0) <= value <= (condition.high if condition.high is not None else 999):
                        return False
                elif value not in ((condition,) if isinstance(condition, str) else condition):
                    return False
            return True

        times, stays, keep = 1.0, 1.0, [1.0] * row["length_of_stay"]
        for growth in model.growth:
            times *= factors[growth.name]["mean"] if chooses(growth.lines[0].where) else 1.0
        for effect in model.effects:
            size = factors[effect.name]["mean"]
            if not chooses(effect.where):
                continue
            if effect.kind == "avoid":
                times *= 1 - size
            elif effect.kind == "shift":
                stays *= 1 - size if effect.becomes != pod else 1.0
            elif effect.how == "same-day":
                keep = [one * (1 - size) for one in keep]
            else:
                reach = effect.first_days or 999
                keep = [one * (1 - size) if day < reach else one for day, one in enumerate(keep)]
        activity += times - 1
        days += times * stays * sum(keep) - row["length_of_stay"]
    assert result.changes["activity"][0].sum() == pytest.approx(activity, abs=1e-6)
    assert result.changes["bed_days"][0].sum() == pytest.approx(days, abs=1e-6)


@FEW
@given(mean=st.floats(0, 300), more=st.floats(0, 50), state=st.integers(0, 2**64 - 1))
def test_a_poisson_draw_rises_with_its_mean(mean: float, more: float, state: int) -> None:
    word = np.uint64(state)
    assert 0 <= resample.poisson(mean, word) <= resample.poisson(mean + more, word)


@FEW
@given(
    trials=st.integers(0, 2000), added=st.integers(0, 300), chance=SHARES, more=SHARES, state=st.integers(0, 2**64 - 1)
)
def test_a_binomial_draw_rises_with_trials_and_chance(
    trials: int, added: int, chance: float, more: float, state: int
) -> None:
    word = np.uint64(state)
    # Within a rounding error of the ends a search from the far side may stop one short.
    assume(
        all(
            1e-12
            < resample.unit_interval(np.uint64(resample.mix(np.uint64((state + block * GOLDEN) % 2**64))))
            < 1 - 1e-12
            for block in range(10)
        )
    )
    drawn = resample.binomial(trials, chance, word)
    assert 0 <= drawn <= trials
    assert drawn <= resample.binomial(trials + added, chance, word) <= drawn + added
    assert drawn <= resample.binomial(trials, chance + (1 - chance) * more, word)


def refused(table: str, path: Path) -> BettercareError | None:
    """The refusal of a file, or None where it is read; any other error is a failure."""
    try:
        run_rows({table: path}, RowModel(), runs=2, rows_at_once=2)
    except BettercareError as error:
        return error
    return None


CELLS = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats() | st.text(max_size=5)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_columns_are_read_or_refused_in_a_sentence(data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(["inpatients", "outpatients", "accident-emergency"]))
    count = data.draw(st.integers(0, 5))
    columns: dict[str, list[Any]] = {
        "age": [40] * count,
        "sex": ["male"] * count,
        "specialty": ["any"] * count,
        "site": ["one"] * count,
        "admission_method": ["elective"] * count,
        "length_of_stay": [1] * count,
        "kind": ["first"] * count,
        "tele": [False] * count,
        "arrival_mode": ["walk-in"] * count,
    }
    for name in data.draw(st.lists(st.sampled_from([*columns, "pod", "count"]), max_size=3)):
        columns[name] = data.draw(st.lists(CELLS, min_size=count, max_size=count))
    for name in data.draw(st.lists(st.sampled_from(list(columns)), max_size=1)):
        del columns[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        pl.DataFrame([pl.Series(name, values, strict=False) for name, values in columns.items()]).write_parquet(path)
        refusal = refused(table, path)
        assert refusal is None or (refusal.remedy and "rows.parquet" in str(refusal))


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_in_a_sentence(data: st.DataObject) -> None:
    rows = [{"age": 40, "sex": "male", "arrival_mode": "walk-in", "site": f"site {number}"} for number in range(40)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        pl.DataFrame(rows).write_parquet(path)
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
        refusal = refused("accident-emergency", path)
        assert refusal is None or refusal.remedy
