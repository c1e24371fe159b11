"""The 95% interval of a mean holds the true mean 95 times in 100: tried on queues whose mean is known, over and over again."""

from __future__ import annotations

import numpy as np
import pytest

import queueing_theory as theory
from bettercare.flow import run
from bettercare.flow.result import estimate
from queue_networks import exponential, one_station

REPEATS, REPLICATIONS = 600, 8


@pytest.mark.parametrize(("arrivals", "servers"), [(0.5, 1), (1.8, 3)])
def test_intervals_hold_the_true_mean(arrivals: float, servers: int) -> None:
    wait = theory.wait_mmc(arrivals, 1.0, servers)
    # Replications do not depend on each other, so many short runs are the parts of one long one.
    result = run(
        one_station(arrivals, exponential(1.0), servers, days=90, warm_up=4),
        replications=REPEATS * REPLICATIONS,
        seed=3,
    )
    for measure, of, expected in (
        ("wait", "desk", wait),
        ("occupied", "desk", arrivals),
        ("waiting", "desk", arrivals * wait),
        ("mean", "all", 1.0 + wait),
    ):
        runs = map(estimate, result.values(measure, of).reshape(REPEATS, REPLICATIONS))
        covered = np.mean([found.low <= expected <= found.high for found in runs])
        assert covered == pytest.approx(0.95, abs=0.02), measure


def test_antithetic_pairs_are_counted_as_one() -> None:
    """Mirror images lean opposite ways: as if independent, their interval would be too wide, and pairs are what is independent."""
    wait = theory.wait_mmc(0.5, 1.0, 1)
    result = run(
        one_station(0.5, exponential(1.0), days=90, warm_up=4), replications=400 * REPLICATIONS, seed=3, antithetic=True
    )
    values = result.values("wait", "desk")
    pairs = values.reshape(-1, 2)
    assert np.corrcoef(pairs.T)[0, 1] < -0.05
    runs = [estimate(one, antithetic=True) for one in values.reshape(-1, 2 * REPLICATIONS)]
    assert np.mean([found.low <= wait <= found.high for found in runs]) == pytest.approx(0.95, abs=0.03)
    plain = [estimate(one) for one in values.reshape(-1, 2 * REPLICATIONS)]
    assert np.mean([one.half_width for one in runs]) < np.mean([one.half_width for one in plain])
