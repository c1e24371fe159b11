"""What is uncertain: drivers, their distributions, and the streams they are drawn from.

Each driver draws from its own counter-based stream keyed by (seed, its name). Run *i* of a driver is therefore the same number
whatever other drivers exist, however the runs are cut into pieces and on however many workers (common random numbers).
Drivers move together through common causes: a driver's standard normal is ``sum(loading x cause) + sqrt(1 - sum(loading^2)) x own``,
so the correlation of two drivers is the sum over causes of the products of their loadings, and no matrix has to be repaired.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from bettercare.errors import BettercareError, Fault, PlanError
from bettercare.model.scenarios import Overlay
from bettercare.plan import Plan, Row
from bettercare.vocabulary import UNITS

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """How a driver varies: a point, ``low/likely/high`` (triangular), ``p10/p90`` (normal), or a bare level between 0 and 1."""

    low: float
    likely: float
    high: float
    shape: str = "triangular"

    @classmethod
    def point(cls, value: float) -> Distribution:
        return cls(value, value, value, "point")

    @classmethod
    def triangular(cls, low: float, likely: float, high: float) -> Distribution:
        """``likely`` outside ``low`` to ``high`` (a stated value beyond its own range) is moved to the nearer end."""
        if low >= high:
            return cls.point(likely)
        return cls(low, min(max(likely, low), high), high)

    @classmethod
    def normal(cls, p10: float, p90: float) -> Distribution:
        return cls(p10, (p10 + p90) / 2, p90, "normal") if p10 < p90 else cls.point(p10)

    @classmethod
    def level(cls) -> Distribution:
        """The probability level itself, for drivers that choose between outcomes. A high level is the better outcome."""
        return cls(0.0, 0.5, 1.0, "level")

    def at(self, u: Array) -> Array:
        """The values whose probability of not being exceeded is ``u`` (shape of ``u``)."""
        if self.shape == "point":
            return np.full_like(u, self.likely)
        if self.shape == "level":
            return u
        if self.shape == "normal":
            return np.asarray(self.likely + (self.high - self.low) / 2 / 1.2815515655446004 * ndtri(u))
        span = self.high - self.low
        turn = (self.likely - self.low) / span
        rising = self.low + np.sqrt(u * span * (self.likely - self.low))
        falling = self.high - np.sqrt((1 - u) * span * (self.high - self.likely))
        return np.where(u < turn, rising, falling)


def stream(seed: int, name: str, first: int, count: int) -> Array:
    """Standard normals of runs ``first`` to ``first + count - 1`` of the stream of that name; shape (count,)."""
    digest = hashlib.sha256(f"{seed}|{name}".encode()).digest()
    key = np.frombuffer(digest[:16], dtype=np.uint64)
    # Philox gives four numbers a counter step, so a piece that starts inside a step throws its head away.
    bits = np.random.Philox(key=key)
    bits.advance(first // 4)
    raw = bits.random_raw(count + first % 4)[first % 4 :]
    # 52 bits and a half: the middle of each of 2^52 steps is exact, so neither 0 nor 1 can come out.
    uniform = ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    return np.asarray(ndtri(uniform))


@dataclass(frozen=True)
class Driver:
    """One uncertain thing: what the plan assumes of it, and how it varies. ``names`` are what common causes may call it."""

    name: str
    distribution: Distribution
    planned: float
    label: str
    names: tuple[str, ...] = ()
    causes: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Case:
    """Some runs together, or the published case (no uniforms): asked for the value of each driver, shape (runs,)."""

    drivers: Mapping[str, Driver]
    levels: Mapping[str, Array] | None
    runs: int

    @property
    def published(self) -> bool:
        return self.levels is None

    def __getitem__(self, name: str) -> Array:
        driver = self.drivers[name]
        if self.levels is None:
            return np.full(self.runs, driver.planned)
        if driver.distribution.shape == "point":
            return np.full(self.runs, driver.distribution.likely)
        return driver.distribution.at(self.levels[name])


@dataclass(frozen=True)
class Sources(Mapping[str, Array]):
    """Independent standard normals by name, shape (count,) each; drawn anew when asked for, so that they take no memory."""

    seed: int
    first: int
    count: int
    streams: Mapping[str, str]
    """The stream of each source."""

    def __getitem__(self, name: str) -> Array:
        return stream(self.seed, self.streams[name], self.first, self.count)

    def __iter__(self) -> Iterator[str]:
        return iter(self.streams)

    def __len__(self) -> int:
        return len(self.streams)


@dataclass
class Drivers:
    """All drivers of a run."""

    plan: Plan
    seed: int
    by_name: dict[str, Driver] = field(default_factory=dict)

    def add(self, name: str, distribution: Distribution, planned: float, label: str, *names: str) -> str:
        """Register a driver (once) and return its name. ``names`` are further names common causes know it by."""
        if name not in self.by_name:
            every = (name, *names)
            self.by_name[name] = Driver(name, distribution, planned, label, every, self._causes(every))
        return name

    def published_case(self) -> Case:
        """The one case in which every driver is what the plan assumes."""
        return Case(self.by_name, None, 1)

    def case(self, first: int, count: int) -> Case:
        """Runs ``first`` to ``first + count - 1``."""
        return Case(self.by_name, self.uniforms(first, count), count)

    @cached_property
    def _cause_rows(self) -> tuple[Mapping[str, list[Row]], list[Row]]:
        """Rows of common causes that name a driver, by its name, and those that are patterns."""
        exact: dict[str, list[Row]] = {}
        patterns = []
        for row in self.plan["common_causes"]:
            if set(row["driver"]) & set("*?["):
                patterns.append(row)
            else:
                exact.setdefault(row["driver"], []).append(row)
        return exact, patterns

    def _causes(self, names: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
        # For each cause the row that names the driver most particularly counts, whatever the order of the rows:
        # its own name before its scheme's, its class's, and any pattern; a longer pattern before a shorter.
        found: dict[str, tuple[tuple[int, int], Row]] = {}
        exact, patterns = self._cause_rows
        rows = [row for name in names for row in exact.get(name, ())]
        rows += [row for row in patterns if any(fnmatchcase(name, row["driver"]) for name in names)]
        for row in rows:
            pattern = row["driver"]
            rank = (len(names) - names.index(pattern), 0) if pattern in names else (0, len(pattern.replace("*", "")))
            best = found.get(row["cause"])
            if best is not None and best[0] == rank and best[1]["loading"] != row["loading"]:
                what = f"{row['cause']!r} loads {names[0]} with {best[1]['loading']:g} and with {row['loading']:g}."
                raise PlanError([Fault(row.where, what, "Keep one row, or name the driver more particularly in one.")])
            if best is None or rank > best[0]:
                found[row["cause"]] = (rank, row)
        loadings = {cause: float(row["loading"]) for cause, (_, row) in sorted(found.items())}
        total = sum(loading**2 for loading in loadings.values())
        if total > 1 + 1e-9:
            raise PlanError(
                [
                    Fault(
                        max((row for _, row in found.values()), key=lambda row: abs(row["loading"])).where,
                        f"The loadings of {names[0]} on its common causes square to {total:.2f}.",
                        "The squares may add to at most 1: lower one.",
                    )
                ]
            )
        return tuple(loadings.items())

    def sources(self, first: int, count: int) -> Sources:
        """The independent standard normals behind the drivers, shape (count,): each driver's own stream, and ``cause:<name>`` for each cause."""
        moving = [driver for driver in self.by_name.values() if driver.distribution.shape != "point"]
        causes = dict.fromkeys(cause for driver in moving for cause, _ in driver.causes)
        names = {driver.name: driver.name for driver in moving} | {
            f"cause:{cause}": f"cause|{cause}" for cause in causes
        }
        return Sources(self.seed, first, count, names)

    def uniforms(self, first: int, count: int) -> Mapping[str, Array]:
        """For each driver, the probability level of its draw in each run; shape (count,)."""
        sources = dict(self.sources(first, count))
        result: dict[str, Array] = {}
        for driver in self.by_name.values():
            if driver.distribution.shape == "point":
                continue
            normal = sources[driver.name]
            if driver.causes:
                rest = max(0.0, 1 - sum(loading**2 for _, loading in driver.causes))
                normal = np.sqrt(rest) * normal + sum(
                    loading * sources[f"cause:{cause}"] for cause, loading in driver.causes
                )
            result[driver.name] = np.asarray(ndtr(normal))
        return result

    def label(self, source: str) -> str:
        """What an independent source is called: the driver's label, or the cause's name."""
        return self.by_name[source].label if source in self.by_name else source.removeprefix("cause:")

    def unmatched(self) -> list[Fault]:
        """Common causes that name a driver the plan does not have; a pattern with * may match nothing."""
        names = {name for driver in self.by_name.values() for name in driver.names}
        # A thing the plan has may have no driver of its own: a class no scheme is in, a rate nothing asks for.
        for table, prefix in (("growth", ""), ("delivery", "class:"), ("schemes", "scheme:"), ("rates", "rate:")):
            names.update(prefix + row.id for row in self.plan[table])
        return [
            Fault(
                f"{row.where}, column driver",
                f"{row['driver']!r} is no driver of this plan.",
                "Name a growth row, scheme:<id>, class:<delivery class> or rate:<id>; * stands for anything.",
            )
            for row in self.plan["common_causes"]
            if "*" not in row["driver"] and row["driver"] not in names
        ]

    def correlation(self, one: str, other: str) -> float:
        """The correlation (of the underlying normals) the common causes give two drivers."""
        first, second = self._named(one), self._named(other)
        loadings = dict(second.causes)
        return 1.0 if one == other else sum(loading * loadings.get(cause, 0.0) for cause, loading in first.causes)

    def parameter(self, overlay: Overlay, name: str, unit: str, label: str, above: float | None = None) -> str:
        """Register the driver of a parameter of the plan and return its name; "" when the plan has no such parameter.

        A parameter a scenario sets is what the scenario says; otherwise it varies between its low and high, where it has them.

        Raises:
            PlanError: the parameter is not in the dimension of ``unit``, or may not be above ``above``.
        """
        row = self.plan["parameters"].by_id.get(name)
        if row is None:
            return ""
        written = self.plan["parameters"].figure(row).unit
        if written.dimension != UNITS[unit].dimension:
            raise PlanError([Fault(row.where, f"The unit of {name} is {written.name}.", f"Use {unit}.")])
        value = overlay.value("parameters", row) * written.scale
        spread = Distribution.point(value)
        if row["low"] is not None and row["high"] is not None and ("parameters", name) not in overlay.values:
            spread = Distribution.triangular(row["low"] * written.scale, value, row["high"] * written.scale)
        if above is not None and min(value, spread.low) <= above:
            what = f"{name} can be {min(value, spread.low) / written.scale:g} {written.name}."
            raise PlanError([Fault(row.where, what, f"It must be above {above / written.scale:g}.")])
        return self.add(f"parameter:{name}", spread, value, label)

    def _named(self, name: str) -> Driver:
        if name not in self.by_name:
            raise BettercareError(f"There is no driver {name!r}.", remedy=f"Drivers: {', '.join(self.by_name)}.")
        return self.by_name[name]
