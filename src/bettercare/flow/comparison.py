"""Scenarios of a network held against each other: the same patients with the same luck, so that what differs is the scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from bettercare.flow.network import Network, Scenario
from bettercare.flow.result import ALL, Estimate, Result, estimate
from bettercare.flow.run import SEED, Progress, run


@dataclass(frozen=True)
class Comparison:
    """A network as it is, and the same under scenarios; replication by replication the same patients come."""

    base: Result
    scenarios: tuple[tuple[Scenario, Result], ...]

    def difference(self, scenario: str, measure: str, of: str, patient: str = ALL, period: str = ALL) -> Estimate:
        """The scenario's measure less the network's own, replication by replication."""
        result = next(result for one, result in self.scenarios if one.id == scenario)
        values = result.values(measure, of, patient, period) - self.base.values(measure, of, patient, period)
        return estimate(values, self.base.antithetic)

    def table(self, asked: Sequence[tuple[str, str]]) -> pl.DataFrame:
        """For each (measure, of): the network's own mean, and for each scenario its mean and the paired difference with its
        95% interval. Columns: scenario, title, measure, of, mean, difference, low, high."""
        rows: list[tuple[str, str, str, str, float, float | None, float | None, float | None]] = []
        for measure, of in asked:
            rows.append(("", "As it is", measure, of, self.base.estimate(measure, of).mean, None, None, None))
            for scenario, result in self.scenarios:
                found = self.difference(scenario.id, measure, of)
                mean = result.estimate(measure, of).mean
                rows.append((scenario.id, scenario.title, measure, of, mean, found.mean, found.low, found.high))
        columns = ["scenario", "title", "measure", "of", "mean", "difference", "low", "high"]
        return pl.DataFrame(rows, schema=columns, orient="row")


def compare(
    network: Network,
    scenarios: Sequence[Scenario],
    replications: int | None = None,
    seed: int = SEED,
    workers: int = 1,
    antithetic: bool = False,
    days: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Run a network as it is and under each scenario, with common random numbers."""
    base = run(network, replications, seed, workers, None, antithetic, days, progress=progress)
    held = tuple(
        (one, run(network, replications, seed, workers, one, antithetic, days, progress=progress)) for one in scenarios
    )
    return Comparison(base, held)
