"""The row-level mode against closed forms and against scipy: the draws, their moments, and what effects leave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from bettercare.model import resample
from bettercare.model.rows import Between, GrowthLine, RowEffect, RowGrowth, RowModel, RowResult, Size, run_rows

RUNS = 4000


def uniform_of(word: np.uint64) -> float:
    return float(resample.unit_interval(np.uint64(word)))  # a word comes back from compiled code as a plain int


STATES = resample.keys(np.uint64(12345), 0, 400)


@pytest.mark.parametrize("mean", [0.0, 1e-9, 0.05, 0.9, 1.0, 2.7, 11.0, 40.0, 63.9])
def test_a_poisson_draw_is_scipy_s_inverse(mean: float) -> None:
    for state in STATES:
        assert resample.poisson(mean, state) == max(0, int(stats.poisson.ppf(uniform_of(state), mean)))


@pytest.mark.parametrize("trials", [1, 2, 5, 60, 256])
@pytest.mark.parametrize("chance", [1e-6, 0.03, 0.5, 0.77, 0.999])
def test_a_binomial_draw_is_scipy_s_inverse(trials: int, chance: float) -> None:
    for state in STATES:
        uniform = uniform_of(resample.mix(state))
        expected = int(stats.binom.ppf(uniform, trials, chance))
        assert resample.binomial(trials, chance, state) == max(0, expected)


def test_draws_of_many_blocks_have_the_right_moments() -> None:
    states = resample.keys(np.uint64(7), 0, 20_000)
    poisson = np.array([resample.poisson(500.5, state) for state in states])
    assert poisson.mean() == pytest.approx(500.5, abs=5 * np.sqrt(500.5 / 20_000))
    assert poisson.var() == pytest.approx(500.5, rel=0.05)
    binomial = np.array([resample.binomial(3000, 0.7, state) for state in states])
    assert binomial.mean() == pytest.approx(2100, abs=5 * np.sqrt(630 / 20_000))
    assert binomial.var() == pytest.approx(630, rel=0.05)


def test_numbers_of_rows_and_runs_look_independent() -> None:
    rows = resample.keys(np.uint64(1), 0, 300)
    runs = resample.keys(np.uint64(2), 0, 300)
    drawn = np.array([[uniform_of(resample.mix(row ^ run)) for run in runs] for row in rows])
    assert stats.kstest(drawn.ravel(), "uniform").pvalue > 1e-4
    # Neighbours along rows, along runs, and along the diagonals
    for one, other in (
        (drawn[1:], drawn[:-1]),
        (drawn[:, 1:], drawn[:, :-1]),
        (drawn[1:, 1:], drawn[:-1, :-1]),
        (drawn[1:, :-1], drawn[:-1, 1:]),
    ):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 5 / np.sqrt(one.size)
    # Sums over rows have the variance of independent numbers, and so have sums over runs.
    for axis in (0, 1):
        assert drawn.sum(axis=axis).var() == pytest.approx(300 / 12, rel=0.35)


def rows_of(tmp_path: Path, pods: list[str], stays: list[int], ages: list[int], copies: int) -> dict[str, Path]:
    frame = pl.DataFrame(
        {
            "age": ages,
            "sex": ["female"] * len(ages),
            "specialty": ["any"] * len(ages),
            "admission_method": pods,
            "length_of_stay": stays,
            "site": ["one"] * len(ages),
        }
    )
    path = tmp_path / "inpatients.parquet"
    pl.concat([frame] * copies).write_parquet(path)
    return {"inpatients": path}


def moments(result: RowResult, measure: str, pod: str) -> tuple[float, float]:
    drawn = result.draws(measure, pod=pod)["value"].to_numpy()
    return float(drawn.mean()), float(drawn.var(ddof=1))


def assert_moments(result: RowResult, measure: str, pod: str, mean: float, variance: float) -> None:
    found_mean, found_variance = moments(result, measure, pod)
    # Five standard errors; the variance of a variance of nearly normal numbers is 2 v^2 / n.
    assert found_mean == pytest.approx(mean, abs=5 * np.sqrt(variance / RUNS))
    assert found_variance == pytest.approx(variance, rel=5 * np.sqrt(2 / RUNS) + 0.01)


@pytest.mark.parametrize("count", [1, 7])
def test_thinned_activity_is_poisson(tmp_path: Path, count: int) -> None:
    paths = rows_of(tmp_path, ["emergency"], [0], [40], 50)
    if count > 1:
        frame = pl.read_parquet(paths["inpatients"]).with_columns(count=pl.lit(count))
        frame.write_parquet(paths["inpatients"])
    model = RowModel(
        growth=(RowGrowth.flat("g", 1.3), RowGrowth.flat("h", 1.1)),
        effects=(
            RowEffect("a", "avoid", "inpatients", Size(0.2)),
            RowEffect("b", "avoid", "inpatients", Size(0.35), {"age": Between(18)}),
            RowEffect("c", "avoid", "inpatients", Size(0.9), {"age": Between(65)}),
        ),
    )
    result = run_rows(paths, model, runs=RUNS)
    mean = 50 * count * 1.3 * 1.1 * 0.8 * 0.65
    assert_moments(result, "activity", "non-elective", mean, mean)
    drawn = result.draws("activity", pod="non-elective")["value"].to_numpy()
    assert stats.kstest(drawn + np.random.default_rng(1).uniform(-1, 0, RUNS), jittered(mean)).pvalue > 1e-4


def jittered(mean: float) -> Callable[[np.ndarray], np.ndarray]:
    """Distribution function of a Poisson number less a uniform one: continuous, so that a Kolmogorov test applies."""

    def cumulative(at: np.ndarray) -> np.ndarray:
        whole = np.floor(at)
        below, here = stats.poisson.cdf(whole, mean), stats.poisson.cdf(whole + 1, mean)
        return np.asarray(below + (at - whole) * (here - below))

    return cumulative


def test_bed_days_are_a_compound_poisson_number(tmp_path: Path) -> None:
    """A spell of L days whose nights are kept with probability q, with L nights or none by same-day care z:
    a Poisson number of spells times the moments of one spell's nights."""
    stays = [0, 1, 4, 30]
    result = run_rows(
        rows_of(tmp_path, ["emergency"] * 4, stays, [40] * 4, 25),
        RowModel(
            growth=(RowGrowth.flat("g", 1.2),),
            effects=(
                RowEffect("days", "shorten", "inpatients", Size(0.15)),
                RowEffect("more days", "shorten", "inpatients", Size(0.1)),
                RowEffect(
                    "same day", "shorten", "inpatients", Size(0.3), {"length_of_stay": Between(1, 4)}, how="same-day"
                ),
            ),
        ),
        runs=RUNS,
    )
    keep = 0.85 * 0.9
    mean = variance = 0.0
    for stay in stays:
        overnight = 0.7 if 1 <= stay <= 4 else 1.0
        one = overnight * stay * keep
        square = overnight * (stay * keep * (1 - keep) + (stay * keep) ** 2)
        mean += 25 * 1.2 * one
        variance += 25 * 1.2 * square
    assert_moments(result, "bed_days", "non-elective", mean, variance)
    assert_moments(result, "activity", "non-elective", 120, 120)
    bars = result.bridge("bed_days")
    chance = bars.filter(pl.col("kind") == "chance")["mean"][0]
    assert abs(chance) < 5 * np.sqrt(variance / RUNS)


def test_only_the_first_days_are_saved(tmp_path: Path) -> None:
    effects = (
        RowEffect("one", "shorten", "inpatients", Size(0.4), first_days=1),
        RowEffect("three", "shorten", "inpatients", Size(0.2), first_days=3),
        RowEffect("all", "shorten", "inpatients", Size(0.1)),
    )
    result = run_rows(rows_of(tmp_path, ["elective"], [5], [40], 40), RowModel(effects=effects), runs=RUNS)
    keeps = [0.6 * 0.8 * 0.9, 0.8 * 0.9, 0.8 * 0.9, 0.9, 0.9]
    one = sum(keeps)
    square = sum(keep * (1 - keep) for keep in keeps) + one**2
    assert_moments(result, "bed_days", "elective", 40 * one, 40 * square)
    bars = result.bridge("bed_days").filter(pl.col("kind") == "shorten")
    assert bars["mean"].sum() == pytest.approx(40 * (one - 5))
    short = run_rows(rows_of(tmp_path, ["elective"], [2], [40], 40), RowModel(effects=effects), runs=RUNS)
    assert_moments(
        short,
        "bed_days",
        "elective",
        40 * sum(keeps[:2]),
        40 * (sum(k * (1 - k) for k in keeps[:2]) + sum(keeps[:2]) ** 2),
    )


def test_shifts_split_activity_into_independent_poisson_numbers(tmp_path: Path) -> None:
    result = run_rows(
        rows_of(tmp_path, ["elective"], [3], [40], 60),
        RowModel(
            effects=(
                RowEffect("day", "shift", "inpatients", Size(0.3), becomes="day-case"),
                RowEffect("clinic", "shift", "inpatients", Size(0.2), becomes="outpatient/procedure"),
                RowEffect("shorter", "shorten", "inpatients", Size(0.5)),
            )
        ),
        runs=RUNS,
    )
    moved = 1 - 0.7 * 0.8
    day = moved * np.log(0.7) / np.log(0.7 * 0.8)
    for pod, share in (("elective", 1 - moved), ("day-case", day), ("outpatient", moved - day)):
        assert_moments(result, "activity", pod, 60 * share, 60 * share)
    one, square = 1.5, 3 * 0.25 + 1.5**2
    assert_moments(result, "bed_days", "elective", 60 * (1 - moved) * one, 60 * (1 - moved) * square)
    drawn = [result.draws("activity", pod=pod)["value"].to_numpy() for pod in ("elective", "day-case", "outpatient")]
    assert np.abs(np.corrcoef(drawn) - np.eye(3)).max() < 5 / np.sqrt(RUNS)
    bars = result.bridge().filter(pl.col("kind") == "shift").group_by("cause").agg(pl.col("mean").sum())
    assert bars["mean"].to_list() == pytest.approx([0, 0], abs=1e-9)


def test_sizes_follow_their_distributions(tmp_path: Path) -> None:
    model = RowModel(
        growth=(
            RowGrowth(
                "g", (GrowthLine(Size(p10=1.0, p90=1.2), {"sex": "female"}), GrowthLine(Size(0.5), {"sex": "male"}))
            ),
        ),
        effects=(
            RowEffect("triangle", "avoid", "inpatients", Size(low=0.1, likely=0.2, high=0.6)),
            RowEffect("cut off", "avoid", "inpatients", Size(p10=-0.0, p90=0.4)),
        ),
    )
    factors = run_rows(rows_of(tmp_path, ["elective"], [3], [40], 2), model, runs=RUNS).factors
    found = {(row["name"], row["line"]): row for row in factors.iter_rows(named=True)}
    assert found["g", 1]["p10"] == pytest.approx(1.0, abs=0.01)
    assert found["g", 1]["p90"] == pytest.approx(1.2, abs=0.01)
    assert found["g", 2]["mean"] == 0.5
    triangle = stats.triang(c=0.2, loc=0.1, scale=0.5)
    for name, level in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9)):
        assert found["triangle", 1][name] == pytest.approx(triangle.ppf(level), abs=0.01)
    assert found["cut off", 1]["p10"] == pytest.approx(0.0, abs=0.01)
    assert found["cut off", 1]["p50"] == pytest.approx(0.2, abs=0.01)


def test_uncertainty_of_a_size_adds_to_the_chance_of_the_draw(tmp_path: Path) -> None:
    """Law of total variance: n (1 - mean size) from the draw, n^2 var(size) from the size."""
    size = stats.triang(c=0.5, loc=0.1, scale=0.4)
    model = RowModel(effects=(RowEffect("a", "avoid", "inpatients", Size(low=0.1, likely=0.3, high=0.5)),))
    result = run_rows(rows_of(tmp_path, ["elective"], [1], [40], 400), model, runs=RUNS)
    mean = 400 * (1 - size.mean())
    assert_moments(result, "activity", "elective", mean, mean + 400**2 * size.var())


def test_the_sum_over_rows_is_what_numpy_draws(tmp_path: Path) -> None:
    """A plain simulation row by row, effect by effect, has the same distribution of every total."""
    rng = np.random.default_rng(5)
    stays = rng.geometric(0.3, 200) - 1
    methods = rng.choice(["emergency", "elective"], 200)
    ages = rng.integers(0, 100, 200)
    paths = rows_of(tmp_path, methods.tolist(), stays.tolist(), ages.tolist(), 1)
    model = RowModel(
        growth=(RowGrowth.flat("g", 1.5, {"age": Between(65)}),),
        effects=(
            RowEffect("a", "avoid", "inpatients", Size(0.3), {"pod": "non-elective"}),
            RowEffect(
                "s", "shift", "inpatients", Size(0.4), {"pod": "elective", "length_of_stay": Between(0, 1)}, "day-case"
            ),
            RowEffect("l", "shorten", "inpatients", Size(0.2), {"age": Between(50)}),
        ),
    )
    result = run_rows(paths, model, runs=RUNS)
    totals = []
    for _ in range(RUNS):
        times = rng.poisson(np.where(ages >= 65, 1.5, 1.0))
        times = np.where(methods == "emergency", rng.binomial(times, 0.7), times)
        moves = (methods == "elective") & (stays <= 1)
        moved = np.where(moves, rng.binomial(times, 0.4), 0)
        left = times - moved
        days = np.where(ages >= 50, rng.binomial(left * stays, 0.8), left * stays)
        totals.append((left.sum(), moved.sum(), days.sum()))
    peer = np.array(totals)
    ours = np.column_stack(
        [
            result.draws("activity", pod=["elective", "non-elective"])["value"].to_numpy(),
            result.draws("activity", pod="day-case")["value"].to_numpy(),
            result.draws("bed_days", pod=["elective", "non-elective"])["value"].to_numpy(),
        ]
    )
    for column in range(3):
        assert stats.ks_2samp(ours[:, column], peer[:, column]).pvalue > 1e-4
