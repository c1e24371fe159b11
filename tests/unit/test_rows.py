"""The row-level mode: what it reads, what it refuses, and how its results are asked."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bettercare.errors import BettercareError
from bettercare.model import rows as rows_module
from bettercare.model import run
from bettercare.model.plan_rows import plan_rows
from bettercare.model.rows import (
    ACTIVITY_COLUMNS,
    POINTS,
    TABLES,
    Between,
    GrowthLine,
    RowEffect,
    RowGrowth,
    RowModel,
    Size,
    Where,
    run_rows,
)

Write = Callable[..., dict[str, Path]]


def inpatients(**changes: Any) -> dict[str, Any]:
    frame: dict[str, Any] = {
        "age": [30, 70, 88, 45],
        "sex": ["male", "female", "female", None],
        "specialty": ["general surgery", "geriatrics", None, "urology"],
        "admission_method": ["elective", "emergency", "emergency", "day-case"],
        "length_of_stay": [2, 5, 9, 0],
        "site": ["North", "North", None, ""],
    }
    return frame | changes


def outpatients(**changes: Any) -> dict[str, Any]:
    frame: dict[str, Any] = {
        "age": [20, 60, 90],
        "sex": ["male", "female", "other"],
        "specialty": ["urology", "urology", "geriatrics"],
        "kind": ["first", "follow-up", "procedure"],
        "tele": [False, True, False],
        "site": ["North", "South", "South"],
    }
    return frame | changes


def emergency(**changes: Any) -> dict[str, Any]:
    frame: dict[str, Any] = {
        "age": [5, 80],
        "sex": ["male", "female"],
        "arrival_mode": ["walk-in", None],
        "site": ["North", "South"],
    }
    return frame | changes


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_files(**tables: Any) -> dict[str, Path]:
        paths = {}
        for name, columns in tables.items():
            table = {"ip": "inpatients", "op": "outpatients", "ae": "accident-emergency"}[name]
            frame = columns if isinstance(columns, pl.DataFrame) else pl.DataFrame(columns, strict=False)
            paths[table] = tmp_path / f"{table}.parquet"
            frame.write_parquet(paths[table])
        return paths

    return to_files


AVOID = RowEffect("a", "avoid", "inpatients", Size(0.1))


def test_every_row_stands_in_its_cell(write: Write) -> None:
    result = run_rows(write(ip=inpatients(), op=outpatients(), ae=emergency()), RowModel(), runs=8)
    found = result.activity(["pod", "part", "band", "sex", "site"])
    assert found.select("pod", "part", "band", "sex", "site", "unit", "baseline").rows() == [
        ("non-elective", "", "65-84", "female", "North", "admissions", 1.0),
        ("non-elective", "", "85+", "female", "unknown", "admissions", 1.0),
        ("elective", "", "25-64", "male", "North", "admissions", 1.0),
        ("day-case", "", "25-64", "unknown", "unknown", "day cases", 1.0),
        ("outpatient", "first", "0-24", "male", "North", "attendances", 1.0),
        ("outpatient", "procedure", "85+", "other", "South", "attendances", 1.0),
        ("outpatient", "follow-up-tele", "25-64", "female", "South", "attendances", 1.0),
        ("accident-emergency", "walk-in", "0-24", "male", "North", "attendances", 1.0),
        ("accident-emergency", "other", "65-84", "female", "South", "attendances", 1.0),
    ]
    assert result.bed_days(["pod"])["baseline"].to_list() == [14.0, 2.0, 0.0]
    assert result.activity(by="setting")["baseline"].sum() == 9


def test_the_frame_has_both_measures_and_their_intervals(write: Write) -> None:
    frame = run_rows(write(ip=inpatients()), RowModel(), runs=50).frame
    assert frame.columns == [
        *("pod", "part", "setting", "band", "sex", "site", "measure", "unit", "baseline", "mean", "p10", "p50", "p90")
    ]
    assert frame.filter(pl.col("p10") > pl.col("p90")).is_empty()
    assert set(frame["measure"]) == {"activity", "bed_days"}


def test_units_are_never_added_together(write: Write) -> None:
    result = run_rows(write(ip=inpatients(), op=outpatients()), RowModel(), runs=4)
    assert result.activity().select("unit", "baseline").rows() == [
        ("admissions", 3.0),
        ("day cases", 1.0),
        ("attendances", 3.0),
    ]
    assert result.bed_days()["unit"].to_list() == ["bed days"]


def test_groups_sum_within_each_run(write: Write) -> None:
    result = run_rows(write(ip=inpatients()), RowModel(), runs=64)
    apart = result.draws("bed_days", by="pod").group_by("run").agg(pl.col("value").sum()).sort("run")["value"]
    assert result.draws("bed_days")["value"].to_list() == apart.to_list()
    only = result.bed_days(site="North", pod=["elective", "non-elective"])
    assert only["baseline"].to_list() == [7.0]


def test_questions_in_unknown_words_are_refused(write: Write) -> None:
    result = run_rows(write(ip=inpatients()), RowModel(), runs=4)
    asks: tuple[Callable[[], pl.DataFrame], ...] = (
        lambda: result.activity(by="ward"),
        lambda: result.activity(ward="x"),
        lambda: result.activity(site="Nowhere"),
        lambda: result.table("staff"),
        lambda: result.bridge(by="site"),
    )
    for ask in asks:
        with pytest.raises(BettercareError):
            ask()


def test_a_point_of_delivery_column_overrides_the_admission_method(write: Write) -> None:
    result = run_rows(write(ip=inpatients(pod=["community-inpatient", None, "", "paediatric"])), RowModel(), runs=4)
    assert set(result.cells["pod"]) == {"community-inpatient", "non-elective", "paediatric"}
    result = run_rows(write(op=outpatients(pod=[None, "community-outpatient", "outpatient"])), RowModel(), runs=4)
    assert result.activity(by="pod")["baseline"].to_list() == [2.0, 1.0]


def test_a_count_stands_for_so_many_rows(write: Write) -> None:
    result = run_rows(write(ip=inpatients(count=[1, 10, None, 500])), RowModel(), runs=400)
    assert result.activity(by="pod")["baseline"].to_list() == [11.0, 1.0, 500.0]
    assert result.activity(pod="day-case")["mean"][0] == pytest.approx(500, abs=6)


def test_columns_may_be_categories_and_small_integers(write: Write) -> None:
    frame = pl.DataFrame(inpatients()).with_columns(
        pl.col("age").cast(pl.UInt8),
        pl.col("length_of_stay").cast(pl.Float64),
        pl.col("sex").cast(pl.Categorical),
        pl.col("admission_method").cast(pl.Enum(["elective", "emergency", "day-case", "maternity"])),
        pl.Series("site", [1, 1, None, 2]),
    )
    plain = run_rows(write(ip=inpatients(site=["1", "1", "unknown", "2"])), RowModel(), runs=16, seed=1)
    assert run_rows(write(ip=frame), RowModel(), runs=16, seed=1).frame.equals(plain.frame)


def test_an_outpatient_flag_may_be_nought_or_one(write: Write) -> None:
    model = RowModel(effects=(RowEffect("t", "shift", "outpatients", Size(1.0), {"tele": False}, becomes="tele"),))
    result = run_rows(write(op=outpatients(tele=[0, 1, 0])), model, runs=4)
    assert result.reach["rows"].to_list() == [2]


def test_shifts_conserve_activity_and_give_so_many_for_each(write: Write) -> None:
    shift = RowEffect("s", "shift", "inpatients", Size(1.0), {"pod": "elective"}, "outpatient/procedure", per_unit=2.5)
    plain = run_rows(write(ip=inpatients()), RowModel(), runs=40)
    moved = run_rows(write(ip=inpatients()), RowModel(effects=(shift,)), runs=40)
    assert moved.activity(pod="elective")["mean"][0] == 0
    before = plain.draws("activity", pod="elective")["value"].to_numpy()
    after = moved.draws("activity", pod="outpatient")["value"].to_numpy()
    assert np.array_equal(after, 2.5 * before)
    assert moved.activity(by=["pod", "part"], pod="outpatient")["part"].to_list() == ["procedure"]
    assert moved.bed_days(pod="elective")["mean"][0] == 0


def test_a_certain_shift_takes_all_whatever_the_others(write: Write) -> None:
    effects = (
        RowEffect("all", "shift", "inpatients", Size(1.0), {"pod": "elective"}, "day-case"),
        RowEffect("some", "shift", "inpatients", Size(0.5), {"pod": "elective"}, "virtual-ward"),
    )
    result = run_rows(write(ip=inpatients()), RowModel(effects=effects), runs=40)
    assert result.activity(pod="elective")["mean"][0] == 0
    assert result.activity(pod="virtual-ward")["mean"][0] == 0
    bars = result.bridge(pod=["elective", "day-case"]).group_by("kind").agg(pl.col("mean").sum())
    assert bars.filter(pl.col("kind") == "shift")["mean"][0] == pytest.approx(0)


def test_effects_on_what_there_is_not_change_nothing_and_say_so(write: Write) -> None:
    model = RowModel(effects=(RowEffect("n", "avoid", "inpatients", Size(0.9), {"specialty": "astrology"}),))
    paths = write(ip=inpatients())
    assert run_rows(paths, model, runs=20).frame.equals(run_rows(paths, RowModel(), runs=20).frame)
    assert run_rows(paths, model, runs=2).reach.row(0) == ("n", "avoid", 1, "inpatients", 0, 4)


def test_conditions_choose_rows(write: Write) -> None:
    frame = inpatients(urgent=[True, False, None, True], score=[0.5, 1.5, None, 2.5])
    wanted: dict[str, tuple[Any, int]] = {
        "text": ({"specialty": "urology"}, 1),
        "several": ({"specialty": ["urology", "geriatrics"]}, 2),
        "blank": ({"specialty": "unknown"}, 1),
        "range": ({"age": Between(45, 70)}, 2),
        "open": ({"age": Between(low=70)}, 2),
        "flag": ({"urgent": True}, 2),
        "fraction": ({"score": Between(high=1.5)}, 2),
        "derived": ({"pod": "non-elective", "band": "85+"}, 1),
        "both": ({"sex": "female", "site": "North"}, 1),
        "number": ({"length_of_stay": (5, 9)}, 2),
        "all": ({}, 4),
    }
    effects = tuple(RowEffect(name, "avoid", "inpatients", Size(0.1), where) for name, (where, _) in wanted.items())
    reach = run_rows(write(ip=frame), RowModel(effects=effects), runs=2).reach
    assert dict(zip(reach["name"], reach["rows"], strict=True)) == {name: rows for name, (_, rows) in wanted.items()}


def test_growth_from_a_table(write: Write) -> None:
    table = pl.DataFrame(
        {
            "age_from": [0, 65],
            "age_to": [64, None],
            "sex": [None, "female"],
            "low": [1.0, 1.0],
            "likely": [1.0, 2.0],
            "high": [1.0, 3.0],
        }
    )
    growth = RowGrowth.from_frame("demography", table)
    assert growth.lines[0] == GrowthLine(Size(likely=1.0, low=1.0, high=1.0), {"age": Between(0, 64)})
    result = run_rows(write(ip=inpatients()), RowModel(growth=(growth,)), runs=2000)
    assert result.reach["rows"].to_list() == [2, 2]
    assert result.activity(pod="non-elective")["mean"][0] == pytest.approx(4, abs=0.2)
    with pytest.raises(BettercareError, match="no factors"):
        RowGrowth.from_frame("empty", table.select("sex"))


def test_the_bridge_adds_up(write: Write) -> None:
    model = RowModel(
        growth=(RowGrowth.flat("g", Size(p10=0.9, p90=1.4)), RowGrowth.flat("none", 0.0, {"age": Between(88)})),
        effects=(
            RowEffect("a", "avoid", "inpatients", Size(0.3)),
            RowEffect("l", "shorten", "inpatients", Size(0.2)),
            RowEffect("d", "shorten", "inpatients", Size(0.5), how="same-day", where={"pod": "elective"}),
            RowEffect("f", "shorten", "inpatients", Size(0.5), first_days=1),
            RowEffect("s", "shift", "inpatients", Size(0.5), {"pod": "elective"}, "day-case"),
        ),
    )
    result = run_rows(write(ip=inpatients()), model, runs=64)
    for measure in ("activity", "bed_days"):
        for words in ("pod", "setting", ()):
            bars = result.bridge(measure, by=words)
            whole = bars.group_by([*([words] if isinstance(words, str) else []), "unit"], maintain_order=True).agg(
                pl.col("mean").filter(pl.col("kind") != "result").sum().alias("sum"),
                pl.col("mean").filter(pl.col("kind") == "result").sum().alias("end"),
            )
            assert whole["sum"].to_list() == pytest.approx(whole["end"].to_list())
    drawn = result.bridge("activity", pod="elective")
    assert drawn["kind"].to_list() == ["baseline", "growth", "avoid", "shift", "chance", "result"]


def test_each_run_values_come_from_elsewhere(write: Write) -> None:
    each = tuple(float(value) for value in np.linspace(0, 1, 11))
    model = RowModel(effects=(RowEffect("a", "avoid", "inpatients", Size(each_run=each)),))
    result = run_rows(write(ip=inpatients(count=[1000] * 4)), model, runs=11)
    drawn = result.draws("activity", pod="elective")["value"].to_numpy()
    assert drawn[-1] == 0
    assert np.allclose(drawn, 1000 * (1 - np.array(each)), atol=150)
    with pytest.raises(BettercareError, match="11 values for 12 runs"):
        run_rows(write(ip=inpatients()), model, runs=12)


def test_common_causes_move_drivers_together() -> None:
    model = RowModel(
        effects=tuple(
            RowEffect(name, "avoid", "inpatients", Size(low=0.0, likely=0.5, high=1.0))
            for name in ("one", "two", "other")
        ),
        common_causes={"workforce": {"one": 0.9, "tw*": 0.9}},
    )
    drawn = np.array([model.uniforms(name, 3, 4000) for name in ("one", "two", "other")])
    correlation = np.corrcoef(drawn)
    assert correlation[0, 1] == pytest.approx(0.8, abs=0.04)
    assert abs(correlation[0, 2]) < 0.05
    with pytest.raises(BettercareError, match="square to"):
        RowModel(effects=model.effects, common_causes={"a": {"*": 0.9}, "b": {"*": 0.9}}).uniforms("one", 3, 4)
    with pytest.raises(BettercareError, match="loading"):
        RowModel(common_causes={"a": {"*": 2.0}})


def test_progress_is_told_and_can_stop_the_work(write: Write) -> None:
    paths = write(ip=inpatients(), ae=emergency())
    told: list[tuple[int, int]] = []
    run_rows(paths, RowModel(), runs=2, rows_at_once=3, progress=lambda done, of: told.append((done, of)))
    assert told == sorted(told)
    assert {3, 4, 6} <= {done for done, _ in told}
    assert {of for _, of in told} == {6}

    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_rows(paths, RowModel(), runs=2, rows_at_once=1, workers=2, progress=stop)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rows")]


# -- what is refused ---------------------------------------------------------------------------------------------------


def refused(paths: dict[str, Path], *words: str, model: RowModel | None = None, **options: Any) -> None:
    """The files are refused in one sentence that has the words, and a remedy."""
    with pytest.raises(BettercareError) as caught:
        run_rows(paths, model or RowModel(), **{"runs": 4} | options)
    text = str(caught.value)
    for word in words:
        assert word in text
    assert caught.value.remedy
    assert "\n" not in text


NAN = math.nan


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (inpatients(length_of_stay=[1, -3, 2, 2]), ("inpatients.parquet, row 2, column length_of_stay", "-3")),
        (inpatients(length_of_stay=[1.0, 2.0, NAN, 2.0]), ("row 3, column length_of_stay", "not a number")),
        (inpatients(length_of_stay=[1.0, 2.5, 2.0, 2.0]), ("row 2", "2.5 is not a whole number")),
        (inpatients(length_of_stay=[1, 2, 2, None]), ("row 4", "no value")),
        (inpatients(length_of_stay=[1, 2, 2, 10**12]), ("row 4", "out of range")),
        (inpatients(length_of_stay=["1", "2", "3", "4"]), ("column length_of_stay", "String")),
        (inpatients(length_of_stay=[float("inf")] * 4), ("row 1", "not a number")),
        (inpatients(age=[1, 2, 3, 131]), ("row 4, column age", "131")),
        (inpatients(age=[1, None, 3, 4]), ("row 2, column age", "no value")),
        (inpatients(age=[None] * 4), ("row 1, column age", "no value")),
        (inpatients(sex=["male", "M", "female", "male"]), ("row 2, column sex", "'M'", "male, female")),
        (inpatients(sex=[1, 2, 1, 2]), ("column sex", "not text")),
        (inpatients(admission_method=["elective", "21", "emergency", None]), ("column admission_method",)),
        (inpatients(admission_method=["elective", "21", "emergency", "maternity"]), ("row 2", "'21'")),
        (inpatients(pod=["elective", "outpatient", None, None]), ("row 2, column pod", "outpatient")),
        (inpatients(count=[1, 0, 1, 1]), ("row 2, column count",)),
        (inpatients(count=[1, 1, 1, 10**7]), ("row 4, column count",)),
        ({k: v for k, v in inpatients().items() if k != "site"}, ("'site' is missing", "inpatients.parquet")),
        (pl.DataFrame(inpatients()).head(0), ("no rows",)),
    ],
)  # fmt: skip
def test_bad_inpatient_rows_are_named(write: Write, columns: Any, words: tuple[str, ...]) -> None:
    refused(write(ip=columns), *words)


def test_a_bad_row_is_numbered_from_the_start_of_the_file(write: Write) -> None:
    frame = pl.concat([pl.DataFrame(inpatients())] * 5)
    frame[17, "length_of_stay"] = -1
    refused(write(ip=frame), "row 18, column length_of_stay", rows_at_once=4)


def test_bad_outpatient_and_emergency_rows_are_named(write: Write) -> None:
    refused(write(op=outpatients(kind=["first", "second", "first"])), "row 2, column kind")
    refused(write(op=outpatients(tele=[True, None, False])), "row 2, column tele")
    refused(write(op=outpatients(tele=[0, 1, 2])), "row 3, column tele")
    refused(write(ae=emergency(arrival_mode=["bus", "ambulance"])), "row 1, column arrival_mode", "'bus'")


def test_files_that_are_not_parquet_are_refused(tmp_path: Path, write: Write) -> None:
    bad = tmp_path / "bad.parquet"
    refused({"inpatients": tmp_path / "none.parquet"}, "none.parquet", "no such file")
    refused({"inpatients": tmp_path}, "no such file")
    good = write(ip=inpatients())["inpatients"].read_bytes()
    for content in (b"", b"age,sex\n1,male\n", good[:-20], good[len(good) // 2 :]):
        bad.write_bytes(content)
        refused({"inpatients": bad}, "bad.parquet", "cannot be read as Parquet")
    refused({}, "no activity files")
    refused({"theatres": bad}, "theatres")


def test_too_many_sites_are_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bettercare.model.activity_rows.MOST_SITES", 2)
    refused(write(ip=inpatients(site=["a", "b", "c", "d"])), "different sites", "column site")


def test_results_too_large_to_hold_are_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "MOST_BYTES", 100)
    refused(write(ip=inpatients()), "too much to hold")


def test_growth_that_could_not_be_drawn_is_refused(write: Write) -> None:
    model = RowModel(growth=(RowGrowth.flat("a", 100.0), RowGrowth.flat("b", 99.0)))
    refused(write(ip=inpatients(count=[1, 1, 1, 10**6])), "9,900 times", "column count", model=model)


def test_conditions_that_cannot_be_asked_are_refused(write: Write) -> None:
    paths = write(ip=inpatients(score=[0.5, NAN, 1.0, 2.0], when=[date(2020, 1, 1)] * 4))
    asked: tuple[tuple[Where, tuple[str, ...]], ...] = (
        ({"ward": "9"}, ("'ward'", "no such column")),
        ({"specialty": 100}, ("'specialty'", "numbers", "text")),
        ({"age": "old"}, ("'age'", "text")),
        ({"age": True}, ("'age'",)),
        ({"site": Between(1)}, ("'site'",)),
        ({"score": Between(1)}, ("row 2, column score", "not a number")),
        ({"when": "2020-01-01"}, ("'when'",)),
    )
    for where, words in asked:
        refused(paths, *words, model=RowModel(effects=(RowEffect("e", "avoid", "inpatients", Size(0.1), where),)))


def test_lines_of_a_growth_that_overlap_are_refused(write: Write) -> None:
    lines = (GrowthLine(Size(1.1), {"age": Between(0, 70)}), GrowthLine(Size(1.2), {"age": Between(70)}))
    refused(
        write(ip=inpatients()),
        "inpatients.parquet, row 2",
        "two lines",
        model=RowModel(growth=(RowGrowth("g", lines),)),
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: RowEffect("e", "avoid", "inpatients", Size(1.1)),
        lambda: RowEffect("e", "avoid", "inpatients", Size(-0.1)),
        lambda: RowEffect("e", "avoid", "inpatients", Size(NAN)),
        lambda: RowEffect("e", "avoid", "inpatients", Size()),
        lambda: RowEffect("e", "avoid", "inpatients", Size(0.5, 0.6, 0.7)),
        lambda: RowEffect("e", "avoid", "inpatients", Size(p10=0.5, p90=0.4)),
        lambda: RowEffect("e", "avoid", "inpatients", Size(p10=0.5)),
        lambda: RowEffect("e", "avoid", "inpatients", Size(likely=0.1, p10=0.5, p90=0.6)),
        lambda: RowEffect("e", "avoid", "inpatients", Size(each_run=(0.1, 2.0))),
        lambda: RowEffect("e", "avoid", "wards", Size(0.1)),
        lambda: RowEffect("e", "convert", "inpatients", Size(0.1)),
        lambda: RowEffect("", "avoid", "inpatients", Size(0.1)),
        lambda: RowEffect("e", "shift", "inpatients", Size(0.1)),
        lambda: RowEffect("e", "shift", "inpatients", Size(0.1), becomes="outpatient"),
        lambda: RowEffect("e", "shift", "inpatients", Size(0.1), becomes="day-case", per_unit=0),
        lambda: RowEffect("e", "avoid", "inpatients", Size(0.1), becomes="day-case"),
        lambda: RowEffect("e", "shorten", "outpatients", Size(0.1)),
        lambda: RowEffect("e", "shorten", "inpatients", Size(0.1), how="nights"),
        lambda: RowEffect("e", "shorten", "inpatients", Size(0.1), first_days=0),
        lambda: RowEffect("e", "shorten", "inpatients", Size(0.1), how="same-day", first_days=1),
        lambda: RowEffect("e", "avoid", "inpatients", Size(0.1), first_days=1),
        lambda: RowEffect("e", "avoid", "inpatients", Size(0.1), {"sex": "Female"}),
        lambda: RowEffect("e", "avoid", "inpatients", Size(0.1), {"pod": "nonelective"}),
        lambda: RowEffect("e", "avoid", "inpatients", Size(0.1), {"band": "0-1"}),
        lambda: RowEffect("e", "avoid", "inpatients", Size(0.1), {"age": Between()}),
        lambda: RowEffect("e", "avoid", "inpatients", Size(0.1), {"age": Between(9, 1)}),
        lambda: RowEffect("e", "avoid", "inpatients", Size(0.1), {"age": Between(NAN)}),
        lambda: RowEffect("e", "avoid", "inpatients", Size(0.1), {"age": ()}),
        lambda: RowEffect("e", "avoid", "inpatients", Size(0.1), {"age": (1, "x")}),
    ],
)
def test_effects_that_make_no_sense_are_refused(make: Callable[[], RowEffect]) -> None:
    with pytest.raises(BettercareError) as caught:
        RowModel(effects=(make(),))
    assert caught.value.remedy


def test_models_that_make_no_sense_are_refused() -> None:
    makes: tuple[Callable[[], RowModel], ...] = (
        lambda: RowModel(effects=(AVOID, AVOID)),
        lambda: RowModel(growth=(RowGrowth.flat("a", 1.1),), effects=(AVOID,)),
        lambda: RowModel(growth=(RowGrowth("g", ()),)),
        lambda: RowModel(growth=(RowGrowth.flat("g", -1.0),)),
        lambda: RowModel(growth=(RowGrowth.flat("g", 1.0, table="wards"),)),
        lambda: RowModel(bands=("0-17",)),
        lambda: RowModel(bands=("0-17", "19+")),
        lambda: RowModel(bands=()),
        lambda: RowModel(bands=("5-17", "18+")),
    )
    for make in makes:
        with pytest.raises(BettercareError):
            make()


@pytest.mark.parametrize(
    "options",
    [{"runs": 0}, {"runs": 1.5}, {"runs": True}, {"workers": 0}, {"rows_at_once": 0}, {"seed": "x"}, {"seed": 1.0}],
)
def test_options_that_make_no_sense_are_refused(write: Write, options: dict[str, Any]) -> None:
    refused(write(ip=inpatients()), model=RowModel(), **options)


def test_a_model_is_read_from_plain_data() -> None:
    model = RowModel.read(
        {
            "growth": [
                {"name": "flat", "factor": 1.2, "table": "outpatients"},
                {"name": "lines", "lines": [{"factor": {"p10": 1.0, "p90": 1.2}, "where": {"age": {"to": 17}}}]},
            ],
            "effects": [
                {"name": "a", "kind": "avoid", "table": "inpatients", "size": {"low": 0.1, "likely": 0.2, "high": 0.3}},
                {
                    "name": "s",
                    "kind": "shift",
                    "table": "outpatients",
                    "size": 0.1,
                    "becomes": "tele",
                    "where": {"kind": ["first"]},
                },
                {"name": "l", "kind": "shorten", "table": "inpatients", "size": 0.1, "how": "days", "first_days": 2},
            ],
            "bands": ["0-64", "65+"],
            "common_causes": {"cause": {"a": 0.5}},
        }
    )
    assert model == RowModel(
        growth=(
            RowGrowth.flat("flat", 1.2, table="outpatients"),
            RowGrowth("lines", (GrowthLine(Size(p10=1.0, p90=1.2), {"age": Between(None, 17)}),)),
        ),
        effects=(
            RowEffect("a", "avoid", "inpatients", Size(0.2, 0.1, 0.3)),
            RowEffect("s", "shift", "outpatients", Size(0.1), {"kind": ("first",)}, "tele"),
            RowEffect("l", "shorten", "inpatients", Size(0.1), first_days=2),
        ),
        bands=("0-64", "65+"),
        common_causes={"cause": {"a": 0.5}},
    )


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"grow": []},
        {"growth": {}},
        {"growth": ["x"]},
        {"growth": [{"name": "g"}]},
        {"growth": [{"name": "g", "factor": 1, "lines": []}]},
        {"growth": [{"factor": 1}]},
        {"growth": [{"name": "g", "lines": [{}]}]},
        {"growth": [{"name": "g", "factor": "x"}]},
        {"growth": [{"name": "g", "factor": {"mean": 1}}]},
        {"growth": [{"name": "g", "factor": {"low": "x"}}]},
        {"growth": [{"name": "g", "factor": 1, "where": {"age": {"over": 1}}}]},
        {"growth": [{"name": "g", "factor": 1, "where": 3}]},
        {"growth": [{"name": "g", "factor": 1, "where": {"age": {"from": "old"}}}]},
        {"growth": [{"name": "g", "factor": 1, "where": {"age": None}}]},
        {"growth": [{"name": "g", "factor": 1, "where": {"age": [[1]]}}]},
        {"effects": [{"name": "e"}]},
        {"effects": [{"name": "e", "kind": "avoid", "table": "inpatients", "size": 0.1, "colour": "red"}]},
        {"effects": [{"name": ["e"], "kind": "avoid", "table": "inpatients", "size": 0.1}]},
        {"effects": [{"name": "e", "kind": "avoid", "table": "inpatients", "size": True}]},
        {"effects": [{"name": "e", "kind": "shift", "table": "inpatients", "size": 0.1, "becomes": 3}]},
        {
            "effects": [
                {
                    "name": "e",
                    "kind": "shift",
                    "table": "inpatients",
                    "size": 0.1,
                    "becomes": "day-case",
                    "per_unit": "x",
                }
            ]
        },
        {"bands": "0+"},
        {"bands": [1]},
        {"common_causes": []},
        {"common_causes": {"a": 1}},
        {"common_causes": {"a": {"b": "x"}}},
    ],
)
def test_plain_data_that_is_not_a_model_is_refused(data: object) -> None:
    with pytest.raises(BettercareError) as caught:
        RowModel.read(data, "model.yaml")
    assert caught.value.remedy


def test_the_dictionary_covers_every_table() -> None:
    assert {column.table for column in ACTIVITY_COLUMNS} == set(TABLES)
    assert all(column.meaning and column.type in {"integer", "choice", "text", "flag"} for column in ACTIVITY_COLUMNS)
    assert all(column.choices for column in ACTIVITY_COLUMNS if column.type == "choice")
    assert len(set(POINTS)) == len(POINTS)


# -- a plan's growth and effects ---------------------------------------------------------------------------------------


AGE_OF = {"non-elective": (70, 88), "elective": (30,), "day-case": (45,)}
"""Ages of the rows of ``inpatients()``."""


def each(line: GrowthLine | RowEffect) -> np.ndarray:
    size = line.factor if isinstance(line, GrowthLine) else line.size
    assert size.each_run is not None
    return np.array(size.each_run)


def covers(line: GrowthLine, age: int) -> bool:
    span = line.where["age"]
    assert isinstance(span, Between)
    return (span.low or 0) <= age <= (999 if span.high is None else span.high)


def test_a_plan_s_growth_and_effects_act_on_rows(write: Write) -> None:
    result = run("llr-stp-2016", runs=30)
    model, left_out = plan_rows(result, "uhl", "2020/21")
    rows = run_rows(write(ip=inpatients(count=[100_000] * 4)), model, runs=30)
    population, other = model.growth
    do_nothing = ("base", "demographic growth", "other growth")
    for pod, ages in AGE_OF.items():
        effects = [effect for effect in model.effects if effect.where["pod"] == pod and effect.kind != "shorten"]
        left = np.prod([np.ones(30), *(1 - each(effect) for effect in effects)], axis=0)
        # Run by run, the plan's own activity over its do-nothing activity is what the effects on rows leave.
        whole = result.activity.sample("2020/21", organisation="uhl", pod=pod)
        grown = sum(result.activity.sample("2020/21", organisation="uhl", pod=pod, kind=kind) for kind in do_nothing)
        assert left == pytest.approx(whole / grown)
        people = sum(each(line) for age in ages for line in population.lines if covers(line, age))
        beyond = next(each(line) for line in other.lines if line.where["pod"] == pod)
        drawn = rows.draws("activity", pod=pod)["value"].to_numpy()
        assert np.abs(drawn / (1e5 * people * beyond * left) - 1).max() < 0.03
    assert any("mean of the runs" in sentence for sentence in left_out)


def test_a_plan_without_runs_gives_its_published_case() -> None:
    result = run("llr-stp-2016")
    model, _ = plan_rows(result, "uhl")
    assert all(effect.size.likely is not None for effect in model.effects)
    with pytest.raises(BettercareError, match="no hospital activity"):
        plan_rows(result, "nobody")
    with pytest.raises(BettercareError, match="not a year"):
        plan_rows(result, "uhl", "1999/00")
