"""Synthetic activity rows, and growth and effects for them, of the size the row-level mode is measured at.

Nothing here is a patient or a real hospital: every column is drawn at random, and the sites are called Site A to Site
F.

    python benchmarks/activity_rows.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

from bettercare.model.rows import Between, GrowthLine, RowEffect, RowGrowth, RowModel, Size, Where

ROWS = {"inpatients": 200_000, "outpatients": 400_000, "accident-emergency": 300_000}
SITES = [f"Site {letter}" for letter in "ABCDEF"]
SPECIALTIES = [f"specialty {number:02}" for number in range(1, 41)]
CONDITIONS = [f"condition {number:02}" for number in range(1, 26)]
BANDS = ("0-4", "5-17", "18-34", "35-49", "50-64", "65-74", "75-84", "85+")


def write_rows(folder: Path, scale: float = 1.0, seed: int = 1) -> dict[str, Path]:
    """Write the three Parquet files and return their paths."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {table: folder / f"{table}.parquet" for table in ROWS}
    for table, rows in ROWS.items():
        count = max(1, int(rows * scale))
        frame = {
            "age": np.minimum(rng.gamma(4.2, 12.5, count), 104).astype(np.int16),
            "sex": rng.choice(["male", "female"], count, p=[0.46, 0.54]),
            "site": rng.choice(SITES, count, p=[0.36, 0.24, 0.18, 0.12, 0.06, 0.04]),
        }
        if table == "inpatients":
            method = rng.choice(["elective", "day-case", "emergency", "maternity"], count, p=[0.08, 0.42, 0.40, 0.10])
            nights = rng.geometric(0.16, count) - 1
            frame |= {
                "specialty": rng.choice(SPECIALTIES, count),
                "admission_method": method,
                "length_of_stay": np.where(method == "day-case", 0, nights).astype(np.int32),
                "condition": rng.choice(CONDITIONS, count),
                "frail": rng.random(count) < 0.2,
            }
        elif table == "outpatients":
            frame |= {
                "specialty": rng.choice(SPECIALTIES, count),
                "kind": rng.choice(["first", "follow-up", "procedure"], count, p=[0.3, 0.55, 0.15]),
                "tele": rng.random(count) < 0.15,
                "referred_by": rng.choice(["practice", "consultant", "other"], count, p=[0.5, 0.2, 0.3]),
            }
        else:
            frame |= {
                "arrival_mode": rng.choice(["ambulance", "walk-in"], count, p=[0.3, 0.7]),
                "left_unseen": rng.random(count) < 0.05,
                "attendances_before": rng.poisson(0.8, count).astype(np.int16),
                "low_acuity": rng.random(count) < 0.35,
            }
        pl.DataFrame(frame).write_parquet(paths[table])
    return paths


def growth_and_effects() -> RowModel:
    """Four causes of growth (one by single year of age and sex), 61 effects that avoid and 31 that shift or shorten."""
    growth = (
        RowGrowth(
            "demography",
            tuple(
                GrowthLine(
                    Size(low=0.9 + age / 400, likely=0.95 + age / 300, high=1.0 + age / 200), {"age": age, "sex": sex}
                )
                for age in range(105)
                for sex in ("male", "female")
            ),
        ),
        RowGrowth(
            "demand-beyond-demography",
            tuple(
                GrowthLine(Size(p10=1.0, p90=1.0 + extra), {"pod": pod})
                for pod, extra in (
                    ("non-elective", 0.15),
                    ("elective", 0.08),
                    ("day-case", 0.12),
                    ("maternity", 0.02),
                    ("outpatient", 0.14),
                    ("accident-emergency", 0.1),
                )
            ),
        ),
        RowGrowth.flat("healthier-later-life", Size(low=0.9, likely=0.95, high=1.0), {"age": Between(55)}),
        RowGrowth(
            "waiting-lists",
            tuple(
                GrowthLine(Size(p10=1.0, p90=1.05), {"specialty": SPECIALTIES[first : first + 10]}, table)
                for first in range(0, 40, 10)
                for table in ("inpatients", "outpatients")
            ),
        ),
    )
    effects: list[RowEffect] = []
    # 29 for inpatients: a condition each, and four that overlap with them
    for number, condition in enumerate(CONDITIONS):
        effects.append(
            _avoid(
                "inpatients",
                f"avoid {condition}",
                0.02 + 0.004 * number,
                {"condition": condition, "pod": "non-elective"},
            )
        )
    effects.append(_avoid("inpatients", "avoid frail admission", 0.12, {"frail": True, "age": Between(75)}))
    effects.append(
        _avoid(
            "inpatients",
            "avoid short emergency stay",
            0.1,
            {"admission_method": "emergency", "length_of_stay": Between(0, 1)},
        )
    )
    effects.append(
        _avoid(
            "inpatients",
            "avoid low-value procedure",
            0.08,
            {"pod": ("day-case", "elective"), "specialty": SPECIALTIES[:12]},
        )
    )
    effects.append(_avoid("inpatients", "avoid readmission", 0.04, {"pod": "non-elective"}))
    # 16 for outpatients: first and follow-up by group of specialties and by age
    for group in range(8):
        several = SPECIALTIES[5 * group : 5 * group + 5]
        effects.append(
            _avoid(
                "outpatients",
                f"avoid follow-up, group {group}",
                0.06 + group / 100,
                {"kind": "follow-up", "specialty": several},
            )
        )
    for referrer in ("practice", "consultant"):
        for low, high in ((0, 17), (18, 49), (50, 64), (65, None)):
            where: Where = {"referred_by": referrer, "kind": "first", "age": Between(low, high)}
            effects.append(_avoid("outpatients", f"avoid referral by {referrer} from {low}", 0.05, where))
    # 16 for A&E: four reasons by two ages by two ways of arriving
    reasons: tuple[tuple[str, Where], ...] = (
        ("frequent attender", {"attendances_before": Between(3)}),
        ("left unseen", {"left_unseen": True}),
        ("low acuity", {"low_acuity": True}),
        ("second attendance", {"attendances_before": Between(1, 2)}),
    )
    for reason, where in reasons:
        for low, high in ((0, 17), (18, None)):
            for mode in ("ambulance", "walk-in"):
                whole = {**where, "age": Between(low, high), "arrival_mode": mode}
                effects.append(_avoid("accident-emergency", f"avoid {reason} {mode} from {low}", 0.09, whole))
    # 31 efficiencies
    for group in range(10):
        several = SPECIALTIES[4 * group : 4 * group + 4]
        effects.append(
            _shorten(f"shorten emergency stay, group {group}", 0.1, {"pod": "non-elective", "specialty": several})
        )
    for low, high in ((0, 17), (18, 64), (65, 84), (85, None)):
        effects.append(
            _shorten(f"shorten any stay from {low}", 0.06, {"length_of_stay": Between(1), "age": Between(low, high)})
        )
    for group in range(6):
        where = {
            "pod": "non-elective",
            "length_of_stay": Between(1, 2),
            "condition": CONDITIONS[4 * group : 4 * group + 4],
        }
        effects.append(
            RowEffect(f"same-day care, group {group}", "shorten", "inpatients", _size(0.2), where, how="same-day")
        )
    for nights in (1, 2):
        effects.append(
            RowEffect(
                f"no stay before an operation, {nights}", "shorten", "inpatients", _size(0.15),
                {"pod": "elective", "length_of_stay": Between(nights + 1)}, first_days=nights,
            )
        )  # fmt: skip
    for group in range(3):
        where = {
            "pod": "elective",
            "length_of_stay": Between(0, 2),
            "specialty": SPECIALTIES[10 * group : 10 * group + 10],
        }
        effects.append(
            RowEffect(f"elective to day case, group {group}", "shift", "inpatients", _size(0.25), where, "day-case")
        )
    for group in range(2):
        where = {"pod": "day-case", "specialty": SPECIALTIES[20 * group : 20 * group + 8]}
        effects.append(
            RowEffect(
                f"day case to outpatients, group {group}",
                "shift",
                "inpatients",
                _size(0.15),
                where,
                "outpatient/procedure",
            )
        )
    for kind in ("first", "follow-up"):
        for low, high in ((0, 64), (65, None)):
            where = {"kind": kind, "tele": False, "age": Between(low, high)}
            effects.append(
                RowEffect(f"{kind} by telephone or video from {low}", "shift", "outpatients", _size(0.2), where, "tele")
            )
    return RowModel(growth, tuple(effects), bands=BANDS)


def _size(likely: float) -> Size:
    return Size(low=likely / 2, likely=likely, high=likely * 1.4)


def _avoid(table: str, name: str, likely: float, where: Where) -> RowEffect:
    return RowEffect(name, "avoid", table, _size(likely), where)


def _shorten(name: str, likely: float, where: Where) -> RowEffect:
    return RowEffect(name, "shorten", "inpatients", _size(likely), where)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("Give the folder to write to.")
    for table, path in write_rows(Path(sys.argv[1])).items():
        print(f"{table}: {path}")
