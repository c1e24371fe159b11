"""How good the forecast from now is, and how long it takes.

    python benchmarks/forecast.py [network] [--history DAYS] [--days DAYS] [--replications N] [--workers N] [--json FILE]

The history is synthetic: one replication of the network itself, so what is scored is the forecasting and not whether the network is right.
With ``--longer SHARE`` the history has stays longer by that share at every station than the network that forecasts: how much a wrong network
costs. Forecasts are made at 08:00 and 18:00 of the last days, each from what was known then, and held against what came: CRPS (fair version,
lower is better), calibration (the share whose randomised rank is in the middle 90%), and skill, the share of a rival's CRPS that is saved. The rivals are in
``bettercare.flow.skill``; ``no capacities`` is our own writing of the approach of patientflow, which is not imported here: it predicts
admissions from records of patients, and neither occupancy nor units that fill.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from bettercare.flow.forecast import forecast
from bettercare.flow.network import Change, Network, Scenario
from bettercare.flow.network_file import find_network, read_network, shipped_networks
from bettercare.flow.run import run
from bettercare.flow.scenarios import changed
from bettercare.flow.skill import score
from bettercare.flow.visits import Visits, read_log

HOURS = (8, 18)


def history_of(network: Network, days: int, longer: float, seed: int) -> Visits:
    """One replication of the network, or of it with longer stays."""
    changes = tuple(Change("service", station.id, times=1 + longer) for station in network.stations)
    other = changed(network, Scenario("longer", "Longer stays", changes)) if longer else network
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.parquet"
        run(other, replications=1, seed=seed, days=days, log=log)
        return read_log(log, network)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", nargs="?", default=None, help="id of a shipped network, or a file")
    parser.add_argument("--history", type=int, default=120, help="days before the first forecast")
    parser.add_argument("--days", type=int, default=20, help="days on which forecasts are made")
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--longer", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    network = read_network(find_network(given.network or next(iter(shipped_networks()))))
    visits = history_of(network, given.history + given.days + 4, given.longer, given.seed)
    first = datetime(network.starts.year, network.starts.month, network.starts.day) + timedelta(days=given.history)
    origins = [first + timedelta(days=day, hours=hour) for day in range(given.days) for hour in HOURS]
    began = time.perf_counter()
    found = score(network, visits, origins, replications=given.replications, workers=given.workers)
    took = time.perf_counter() - began
    overall, by_ahead = found.compared(()), found.compared(("ahead",))
    by_station = found.compared(("station", "what")).sort("crps", descending=True)
    print(
        f"{network.id}: {len(origins)} forecasts of a synthetic history of {visits.frame.height:,} visits, {took:.0f} s"
    )
    with pl.Config(tbl_rows=80, tbl_cols=12, tbl_width_chars=180, float_precision=3, tbl_hide_dataframe_shape=True):
        for table in (overall, by_ahead, by_station.head(30)):
            print(table)
        shares = found.cases.group_by("method", maintain_order=True).agg(
            pl.col("brier").mean(), pl.col("inside").mean()
        )
        print(shares)
    state = visits.state(network, origins[0])
    began = time.perf_counter()
    forecast(network, state, visits.arrivals(), hours=72, replications=500, workers=given.workers)
    one = time.perf_counter() - began
    print(
        f"A forecast of 72 hours, 500 replications, {state.rows.height:,} patients now: {one:.1f} s on {given.workers} workers"
    )
    if given.json:
        results: dict[str, Any] = {
            "network": network.id,
            "synthetic": visits.synthetic,
            "forecasts": len(origins),
            "longer": given.longer,
            "load_before": round(load, 2),
            "seconds_of_a_forecast": one,
            "patients_now": state.rows.height,
            "overall": overall.to_dicts(),
            "by_ahead": by_ahead.to_dicts(),
            "by_station": by_station.to_dicts(),
            "by_method": shares.to_dicts(),
        }
        given.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
