"""The urgent-care model of the benchmarks gives the same in SimPy and in Ciw, which share no code with the engine."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flow_peers import ciw_model, simpy_model
from urgent_care import MEASURES, Length, UrgentCare, network

from bettercare.flow import run

FIGURES = UrgentCare(beds=25, ward=Length(8.0, 8.0))
"""Shorter stays and fewer places than in the benchmark: cubicles are blocked every day, so that few days tell much."""
DAYS, WARM_UP = 60, 15
Z = 3.5


@pytest.fixture(scope="module")
def ours() -> dict[str, np.ndarray]:
    result = run(network(FIGURES, DAYS, WARM_UP), replications=200, seed=11)
    return {f"{measure} {of}": result.values(measure, of) for measure, of, _ in MEASURES}


PEERS = {"simpy": (simpy_model.simulate, 12), "ciw": (ciw_model.simulate, 6)}


@pytest.mark.parametrize("peer", PEERS)
def test_peer_gives_the_same(peer: str, ours: dict[str, np.ndarray]) -> None:
    simulate, runs = PEERS[peer]
    theirs = [simulate(FIGURES, DAYS, WARM_UP, seed)[0] for seed in range(1, runs + 1)]
    for name, values in ours.items():
        its = np.array([one[name] for one in theirs])
        # the spread of a replication is better known from our many than from their few
        error = values.std(ddof=1) * math.sqrt(1 / len(its) + 1 / len(values))
        assert abs(its.mean() - values.mean()) <= Z * error, (
            f"{name}: {its.mean():.4g} in {peer}, {values.mean():.4g} here"
        )
    assert ours["blocked majors"].mean() > 1
    assert ours["wait majors"].mean() > 0.1
