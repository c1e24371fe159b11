"""Admissions in the next eight hours: the forecast from now beside patientflow.

    python benchmarks/forecast_admissions.py [network] [--history DAYS] [--days DAYS] [--replications N] [--workers N] [--json FILE]

patientflow (a package of its own, to be installed for this) predicts how many patients will be admitted within a window, and it is that
number that is compared: patients who come by the front door and have their first bed of a ward, assessment unit or critical care within eight
hours, of those in the department now and of those yet to come. Both learn from the same synthetic history (one replication of the network)
up to the first forecast. Those yet to come are patientflow's own EmpiricalIncomingAdmissionPredictor, by weekday. Those there now are, as in its
method, independent patients with a chance of admission each; its classifier wants a patient's record, which a network has not, so the chance
is how often patients of the same station, class and time there so far were admitted within eight hours in the history.
``usual`` is the same hours of the days of the history. All by the CRPS in patients; lower is better.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import warnings
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from forecast import HOURS, history_of
from numpy.typing import NDArray

from bettercare.flow.arrivals import ArrivalHistory, forecast_arrivals
from bettercare.flow.network import Network
from bettercare.flow.network_file import find_network, read_network, shipped_networks
from bettercare.flow.run import run
from bettercare.flow.scores import crps, inside, pit, skill
from bettercare.flow.start_state import start_of
from bettercare.flow.visits import STREAM_BITS, Visits

WINDOW = timedelta(hours=8)
BEDS = ("ward", "assessment", "critical")
BANDS = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 24.0)
LIKE_ALL = 10.0
MOST = 300
"""Admissions that patientflow's distribution reaches to. Its own default follows the busiest quarter of an hour (20 here), and would cut off
most of what a large hospital sees in eight hours: it is given room, so that the comparison is fair."""
Array = NDArray[np.float64]


def journeys(visits: Visits, beds: set[str]) -> pl.DataFrame:
    """patient, arrived, admitted (null: never), gone (null: not by the end): those who came by the front door."""
    by_patient = visits.frame.group_by("patient", maintain_order=True).agg(
        pl.col("came").first().alias("arrived"),
        pl.col("station").first().alias("first"),
        pl.col("began").filter(pl.col("station").is_in(beds)).min().alias("admitted"),
        pl.when(pl.col("left").is_null().any()).then(None).otherwise(pl.col("left").max()).alias("gone"),
    )
    return by_patient.filter(~pl.col("first").is_in(beds))


def now_groups(visits: Visits, people: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """patient, group (station, class, time there so far), soon (admitted within the window): those there and not yet admitted."""
    here = visits.frame.filter((pl.col("came") <= at) & (pl.col("left").is_null() | (pl.col("left") > at))).unique(
        "patient", keep="last"
    )
    waiting = people.filter((pl.col("arrived") <= at) & (pl.col("admitted").is_null() | (pl.col("admitted") > at)))
    hours = (pl.lit(at) - pl.col("came")).dt.total_seconds() / 3600
    band = pl.sum_horizontal((hours > edge).cast(pl.Int64) for edge in BANDS).cast(pl.String)
    return here.join(waiting.select("patient", "admitted"), on="patient").select(
        "patient",
        "station",
        pl.concat_str("station", "class", band, separator="|").alias("group"),
        (pl.col("admitted") <= at + WINDOW).fill_null(False).alias("soon"),
    )


def chances(
    visits: Visits, people: pl.DataFrame, trained: list[datetime]
) -> tuple[dict[str, tuple[int, int]], dict[str, float]]:
    """How many of each group there were and were admitted soon, and the share at each station."""
    seen = pl.concat([now_groups(visits, people, at) for at in trained])
    groups = {
        row[0]: (row[1], row[2]) for row in seen.group_by("group").agg(pl.len(), pl.col("soon").sum()).iter_rows()
    }
    return groups, dict(seen.group_by("station").agg(pl.col("soon").mean()).iter_rows())


def ours(
    network: Network,
    visits: Visits,
    history: ArrivalHistory,
    at: datetime,
    replications: int,
    workers: int,
    beds: set[str],
) -> Array:
    """Admissions within the window in each replication."""
    start = start_of(visits.state(network, at), network, replications)
    paths = forecast_arrivals(network, history, at, 2, replications)
    direct = {number for number, stream in enumerate(network.arrivals) if stream.to in beds} | {
        number
        for number, stream in enumerate(network.arrivals)
        for choice in network.choices
        if choice.id == stream.to and beds & set(choice.of)
    }
    placed = np.isin(start.station, [number for number, station in enumerate(network.stations) if station.id in beds])
    ends = at.hour + WINDOW.total_seconds() / 3600  # the log counts from midnight
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.parquet"
        run(
            paths.onto(network),
            replications,
            seed=2016,
            workers=workers,
            days=1,
            start=start,
            day_rates=paths.rates,
            log=log,
        )
        begun = pl.scan_parquet(log).filter(
            (pl.col("event") == "starts") & pl.col("at").is_in(beds) & (pl.col("hours") <= ends)
        )
        people = begun.select("replication", "patient").unique().collect()
    patient = people["patient"].to_numpy()
    inside_already = (patient < 0) & placed[np.minimum(np.maximum(-1 - patient, 0), max(len(placed) - 1, 0))]
    front_door = ~inside_already & ~((patient >= 0) & np.isin(patient >> STREAM_BITS, list(direct)))
    return np.bincount(people["replication"].to_numpy()[front_door], minlength=replications).astype(float)


def main() -> int:
    from patientflow.predictors.incoming_admission_predictors import EmpiricalIncomingAdmissionPredictor

    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", nargs="?", default=None, help="id of a shipped network, or a file")
    parser.add_argument("--history", type=int, default=120)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    network = read_network(find_network(given.network or next(iter(shipped_networks()))))
    visits = history_of(network, given.history + given.days + 2, 0.0, given.seed)
    beds = {station.id for station in network.stations if station.kind in BEDS}
    people, history = journeys(visits, beds), visits.arrivals()
    first = datetime(network.starts.year, network.starts.month, network.starts.day) + timedelta(days=given.history)
    known = people.filter((pl.col("arrived") < first) & (pl.col("admitted") < first))
    frame = pd.DataFrame(
        {"arrival_datetime": known["arrived"].to_numpy(), "departure_datetime": known["admitted"].to_numpy()}
    )
    yet = EmpiricalIncomingAdmissionPredictor().fit(
        frame, yta_time_interval=timedelta(minutes=15), num_days=(first - visits.first).days
    )
    random = np.random.default_rng(given.seed)
    admitted = np.sort(people["admitted"].drop_nulls().to_numpy().astype("datetime64[us]"))
    scores: dict[str, list[tuple[Array, float]]] = {"bettercare": [], "patientflow": [], "usual": []}
    for hour in HOURS:
        trained = [first - timedelta(days=back) + timedelta(hours=hour) for back in range(2, 92)]
        groups, stations = chances(visits, people, trained)
        usual = np.array(
            [
                np.diff(np.searchsorted(admitted, np.array([at, at + WINDOW], dtype="datetime64[us]")))[0]
                for at in trained
            ]
        )
        for at in (first + timedelta(days=day, hours=hour) for day in range(given.days)):
            came = float(
                np.diff(np.searchsorted(admitted, np.array([at, at + WINDOW], dtype="datetime64[us]"), side="right"))[0]
            )
            there = now_groups(visits, people, at)
            share = np.array(
                [
                    (groups.get(group, (0, 0))[1] + LIKE_ALL * stations.get(station, 0.0))
                    / (groups.get(group, (0, 0))[0] + LIKE_ALL)
                    for station, group in there.select("station", "group").iter_rows()
                ]
            )
            asked = {
                "prediction_time": (hour, 0),
                "prediction_window": WINDOW,
                "prediction_date": at.date(),
                "max_value": MOST,
            }
            told = next(iter(yet.predict(**asked).values()))
            weights = told["agg_proba"].to_numpy()
            to_come = random.choice(told.index.to_numpy(), 2000, p=weights / weights.sum())
            from_now = (random.random((2000, len(share))) < share).sum(axis=1)
            scores["bettercare"].append(
                (ours(network, visits, history, at, given.replications, given.workers, beds), came)
            )
            scores["patientflow"].append(((to_come + from_now).astype(float), came))
            scores["usual"].append((usual.astype(float), came))
    rows = []
    for method, cases in scores.items():
        found = [
            (float(crps(drawn, came)), float(inside(drawn, came)), float(pit(drawn, came, n)), drawn.mean() - came)
            for n, (drawn, came) in enumerate(cases)
        ]
        score, held, place, off = (np.array(column) for column in zip(*found, strict=True))
        rows.append(
            {"method": method, "forecasts": len(cases), "crps": score.mean(), "bias": off.mean(), "coverage": held.mean(),
             "calibration": (np.abs(place - 0.5) < 0.45).mean()}
        )  # fmt: skip
    table = pl.DataFrame(rows)
    print(
        f"{network.id}: admissions by the front door in eight hours, {np.mean([came for _, came in scores['usual']]):.1f} on average (synthetic history)"
    )
    with pl.Config(tbl_width_chars=140, float_precision=3, tbl_hide_dataframe_shape=True):
        print(table)
    for rival in ("patientflow", "usual"):
        print(
            f"skill against {rival}: {skill(rows[0]['crps'], table.filter(pl.col('method') == rival)['crps'][0]):.3f}"
        )
    if given.json:
        given.json.write_text(
            json.dumps({"network": network.id, "synthetic": True, "methods": rows}, indent=2) + "\n", encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
