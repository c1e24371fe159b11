"""What happened, as visits: one row for each time a patient was at a station. From a run's event log, or from a hospital's own rows.

From visits follow the state at any past moment, the arrivals so far, and how full each station was: what a forecast is made from, and what
it is held against afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bettercare.errors import BettercareError
from bettercare.flow.arrival_history import ArrivalHistory
from bettercare.flow.network import Network
from bettercare.flow.now import SCHEMA as NOW_SCHEMA
from bettercare.flow.now import Now

STREAM_BITS = 40
"""The engine numbers a patient by stream (above these bits) and by number within it."""
SCHEMA = pl.Schema({
    "patient": pl.String(), "stream": pl.String(), "class": pl.String(), "station": pl.String(), "came": pl.Datetime("us"), "began": pl.Datetime("us"),
    "done": pl.Datetime("us"), "held": pl.Datetime("us"), "left": pl.Datetime("us"), "goes_to": pl.String(),
})  # fmt: skip
_ENDS = ("leaves", "gives up", "preempted")


@dataclass(frozen=True)
class Visits:
    """Visits to the stations of a network."""

    network: str
    frame: pl.DataFrame = field(repr=False)
    """patient, stream (null when not known), class (in the place), station, came (to wait or to have a place), began (to have the place; null:
    never), done (null: not by the end), held (when they began to wait for the next station with the place kept; null: never), left (null: still
    there at the end), goes_to (the next station; null: none). By patient and time."""
    first: datetime
    """From when on it is whole."""
    last: datetime
    synthetic: bool
    """Whether a simulation made it."""
    _edges: dict[tuple[str, str], tuple[NDArray[Any], NDArray[Any]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of(
        cls, frame: pl.DataFrame, network: Network, first: datetime, last: datetime, synthetic: bool = False
    ) -> Visits:
        """Visits from a frame with the columns of :data:`SCHEMA`.

        Raises:
            BettercareError: a column is missing or of another type, a station is not the network's, or times run backwards.
        """
        missing = [name for name in SCHEMA if name not in frame.columns]
        if missing:
            raise BettercareError(f"The visits have no column {missing[0]}.", remedy=f"Columns: {', '.join(SCHEMA)}.")
        try:
            frame = frame.select(SCHEMA.names()).cast(SCHEMA)
        except pl.exceptions.PolarsError:
            raise BettercareError(
                "The visits hold a value of the wrong kind.", remedy="Give text, and local times without a zone."
            ) from None
        unknown = set(frame["station"].unique().to_list()) - {station.id for station in network.stations}
        if unknown:
            raise BettercareError(f"The network has no station {sorted(map(str, unknown))[0][:60]!r}.", "visits")
        order = ["came", "began", "done", "held", "left"]
        for earlier, later in ((a, b) for position, a in enumerate(order) for b in order[position + 1 :]):
            wrong = frame.filter(pl.col(earlier) > pl.col(later)).height
            if wrong:
                raise BettercareError(
                    f"In {wrong:,} visits {later} is before {earlier}.", "visits", "Correct the times."
                )
        if frame["came"].null_count():
            raise BettercareError("A visit has no time at which the patient came.", "visits", "Fill the column came.")
        return cls(network.id, frame.sort("patient", "came", maintain_order=True), first, last, synthetic)

    def state(self, network: Network, at: datetime) -> Now:
        """Who was where at a moment, knowing nothing of what came after: where held patients wait to go is known, when anybody leaves is not."""
        here = self.frame.filter((pl.col("came") <= at) & (pl.col("left").is_null() | (pl.col("left") > at)))
        placed = pl.col("began") <= at
        ready = placed & (pl.col("done") <= at)
        state = (
            pl.when(ready.fill_null(False))
            .then(pl.lit("ready"))
            .when(placed.fill_null(False))
            .then(pl.lit("in service"))
        )
        rows = here.select(
            "patient",
            "station",
            "class",
            pl.when(placed.fill_null(False)).then("began").otherwise("came").alias("since"),
            state.otherwise(pl.lit("waiting")).alias("state"),
            pl.when((pl.col("held") <= at).fill_null(False)).then("goes_to").alias("goes_to"),
            pl.lit(None, dtype=pl.Datetime("us")).alias("expected_discharge"),
            pl.lit(False).alias("by_day"),
            pl.when(ready.fill_null(False)).then("done").alias("ready_since"),
        )
        return Now(
            network.id,
            at,
            rows.cast(NOW_SCHEMA)
            .unique("patient", keep="last", maintain_order=True)
            .sort("station", "since", "patient"),
        )

    def arrivals(self) -> ArrivalHistory:
        """How many came in each stream, by the hour."""
        known = self.frame.filter(pl.col("stream").is_not_null() & (pl.col("came") >= self.first))
        came = known.group_by("patient", "stream").agg(pl.col("came").min())
        hourly = came.group_by(
            "stream", pl.col("came").dt.date().alias("day"), pl.col("came").dt.hour().cast(pl.Int64).alias("hour")
        ).len("count")
        return ArrivalHistory(hourly.with_columns(pl.col("count").cast(pl.Float64)).sort("stream", "day", "hour"))

    def at(self, moments: Sequence[datetime], station: str, what: str = "occupied") -> NDArray[np.float64]:
        """Patients with a place at a station (``occupied``), or waiting there without one (``waiting``), at each moment: [moments]."""
        asked = np.array(moments, dtype="datetime64[us]")
        began, ended = self._edges.get((station, what)) or self._edges.setdefault(
            (station, what), self._begin_and_end(station, what)
        )
        return (np.searchsorted(began, asked, side="right") - np.searchsorted(ended, asked, side="right")).astype(
            np.float64
        )

    def _begin_and_end(self, station: str, what: str) -> tuple[NDArray[Any], NDArray[Any]]:
        own = self.frame.filter(pl.col("station") == station)
        begins, ends = ("began", "left") if what == "occupied" else ("came", "began")
        if what != "occupied":
            # One who gave up waited until they left.
            own = own.with_columns(pl.col("began").fill_null(pl.col("left")))
        own = own.filter(pl.col(begins).is_not_null())
        began = np.sort(own[begins].to_numpy().astype("datetime64[us]"))
        return began, np.sort(own[ends].drop_nulls().to_numpy().astype("datetime64[us]"))


def read_log(path: str | Path, network: Network, replication: int = 0) -> Visits:
    """The visits of one replication of a run's event log (see :mod:`bettercare.flow.event_log`): synthetic, and marked so.

    Raises:
        BettercareError: the file is not an event log of this network.
    """
    path = Path(path)
    try:
        log = pl.read_parquet(path).filter(pl.col("replication") == replication)
        frame = _visits(log, network)
    except FileNotFoundError:
        raise BettercareError("The file is not there.", path.name[:100], "Check its name and folder.") from None
    except (pl.exceptions.PolarsError, OSError):
        raise BettercareError("This is not an event log.", path.name[:100], "Make it with run(..., log=...).") from None
    started = datetime(network.starts.year, network.starts.month, network.starts.day)
    times = ["came", "began", "done", "held", "left"]
    frame = frame.with_columns(
        (pl.lit(started) + pl.duration(microseconds=(pl.col(times) * 3.6e9).round().cast(pl.Int64))).name.keep()
    )
    first = started - timedelta(days=network.warm_up)
    last = started + timedelta(hours=float(log["hours"].max() or 0.0))  # type: ignore[arg-type]
    return Visits.of(frame, network, first, last, synthetic=True)


def _visits(log: pl.DataFrame, network: Network) -> pl.DataFrame:
    """patient, stream, class, station, came, began, done, left (hours), goes_to."""
    streams = dict(enumerate(stream.id for stream in network.arrivals))
    events = log.with_row_index("order").sort("patient", "order")
    # A visit begins with waiting, or with having a place if there was no wait; one who was put back waits anew.
    prior = pl.col("event").shift(1).over("patient")
    first = (
        (pl.col("event") == "waits")
        | ((pl.col("event") == "starts") & (prior != "waits").fill_null(True))
        | (pl.col("event") == "preempted")
    )
    of_stations = events.filter(
        pl.col("event").is_in(["waits", "starts", "done", "held", "leaves", "gives up", "preempted", "out"])
    )
    numbered = of_stations.with_columns(first.cast(pl.Int64).cum_sum().over("patient").alias("visit")).filter(
        pl.col("visit") > 0
    )

    def when(*names: str) -> pl.Expr:
        return pl.col("hours").filter(pl.col("event").is_in(names)).first()

    visits = numbered.group_by("patient", "visit", maintain_order=True).agg(
        pl.col("at").filter(pl.col("event") == "starts").first().alias("started_at"),
        pl.col("at").first().alias("first_at"),
        pl.col("class").first(),
        pl.col("hours").first().alias("came"),
        when("starts").alias("began"),
        when("done").alias("done"),
        when("held").alias("held"),
        when(*_ENDS).alias("left"),
    )
    visits = visits.with_columns(pl.coalesce("started_at", "first_at").alias("station"))
    following = pl.col("station").shift(-1).over("patient")
    return visits.select(
        pl.col("patient").cast(pl.String).str.replace("^", "s"),
        pl.when(pl.col("patient") >= 0)
        .then(pl.col("patient") // 2**STREAM_BITS)
        .replace_strict(streams, default=None, return_dtype=pl.String)
        .alias("stream"),
        "class",
        "station",
        "came",
        "began",
        "done",
        "held",
        pl.coalesce("left", pl.col("came").shift(-1).over("patient")).alias("left"),
        following.alias("goes_to"),
    )
