"""How long a network takes to forget that it began empty: the marginal standard error rule on the number inside, day by day."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bettercare.flow.network import Network
from bettercare.flow.run import SEED, run

_BATCH = 5


@dataclass(frozen=True)
class WarmUp:
    """``days`` to leave out at the start, seen over ``of`` days; ``settled`` is False when the rule would leave out more than
    half: then the run was too short to say, or the network never settles."""

    days: int
    of: int
    settled: bool


def truncation(series: np.ndarray[Any, np.dtype[np.float64]], batch: int = _BATCH) -> int:
    """The number of values to leave out at the start of a series so that the mean of the others is best known.

    The rule MSER-5 (White, 1997): means of batches of five; leave out as many as make the squared standard error of the
    mean of the rest smallest.
    """
    means = series[: len(series) // batch * batch].reshape(-1, batch).mean(axis=1)
    best, found = math.inf, 0
    for out in range(max(len(means) - 5, 1)):
        rest = means[out:]
        error = float(rest.var()) / len(rest)
        if error < best:
            best, found = error, out
    return found * batch


def warm_up(network: Network, days: int = 365, replications: int = 20, seed: int = SEED, workers: int = 1) -> WarmUp:
    """Days of warm-up a network needs, from the patients inside at the turn of each hour, over ``replications`` from empty."""
    result = run(replace(network, warm_up=0), replications, seed, workers, days=days, trace=True)
    inside = sum(
        result.series(station.id, "occupied").mean(axis=0) + result.series(station.id, "waiting").mean(axis=0)
        for station in network.stations
    )
    daily = np.asarray(inside)[: days * 24].reshape(days, 24).mean(axis=1)
    out = truncation(daily)
    return WarmUp(out, days, out <= days // 2)
