"""Calibration: it finds what is known, stays between the limits, and says what it cannot meet."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bettercare.errors import BettercareError
from bettercare.flow.calibrate import Calibration, calibrate, turned
from bettercare.flow.network import (
    UNLIMITED,
    Arrival,
    Change,
    Clock,
    Distribution,
    Evidence,
    Knob,
    Network,
    Outcome,
    PatientClass,
    Route,
    Service,
    Station,
    Target,
)
from bettercare.flow.network_file import read_network

TOLD = Evidence("assumed", note="made up for a test")
STAY = Target("stay", "Stay on the ward", "stay", "ward", 72.0, tolerance=0.03, evidence=TOLD)
SEEN = Target("seen", "Time in the clinic", "mean", "clinic-time", 0.5, tolerance=0.03, evidence=TOLD)
LONGER = Knob("ward-stay", "Stay on the ward", Change("service", "ward", times=1.0), 0.5, 3.0, TOLD)
SLOWER = Knob("clinic-time", "Time in the clinic", Change("service", "clinic", times=1.0), 0.5, 3.0, TOLD)


def small(targets: tuple[Target, ...] = (STAY,), knobs: tuple[Knob, ...] = (LONGER,)) -> Network:
    """A clinic (mean 1 hour, as many places as patients) and then a ward (mean 48 hours)."""
    return Network(
        id="small",
        title="A clinic and a ward",
        starts=date(2016, 4, 1),
        days=40,
        warm_up=10,
        classes=(PatientClass("adult", "Adults"),),
        arrivals=(Arrival("comers", "adult", "clinic", per_day=20, evidence=TOLD),),
        stations=(
            Station("clinic", "Clinic", "emergency", servers=UNLIMITED, evidence=TOLD),
            Station("ward", "Ward", servers=UNLIMITED, evidence=TOLD),
        ),
        services=(
            Service("clinic", "any", Distribution("exponential", mean=1.0), TOLD),
            Service("ward", "any", Distribution("gamma", mean=48.0, sd=20.0), TOLD),
        ),
        routes=(Route("clinic", "any", "ward", 1.0, evidence=TOLD), Route("ward", "any", "home", 1.0, evidence=TOLD)),
        outcomes=(Outcome("home", "Home"),),
        clocks=(Clock("clinic-time", "Time in the clinic", ("clinic",)),),
        targets=targets,
        knobs=knobs,
    )


@pytest.fixture(scope="module")
def both() -> Calibration:
    return calibrate(small((STAY, SEEN), (LONGER, SLOWER)), replications=8)


def test_what_is_known_is_found(both: Calibration) -> None:
    # 72 hours are 1.5 times 48; half an hour is half of one.
    after = {setting.knob.id: setting.after for setting in both.settings}
    assert after["ward-stay"] == pytest.approx(1.5, rel=0.02)
    assert after["clinic-time"] == pytest.approx(0.5, rel=0.02)
    assert [residual.agrees for residual in both.residuals] == [True, True]
    assert both.misfit[1] < both.misfit[0] / 100
    assert both.unmet == ()


def test_before_is_the_network_as_it_stood(both: Calibration) -> None:
    assert [setting.before for setting in both.settings] == [1.0, 1.0]
    assert both.residuals[0].before.mean == pytest.approx(48.0, rel=0.05)


def test_the_tables_say_the_same(both: Calibration) -> None:
    settings, residuals = both.settings_table(), both.residuals_table()
    assert settings["after"].to_list() == [setting.after for setting in both.settings]
    row = residuals.row(0, named=True)
    assert row["low"] < row["modelled"] < row["high"]
    assert row["difference"] == row["modelled"] - row["seen"]


def test_the_same_seed_gives_the_same_answer_on_any_number_of_workers(both: Calibration) -> None:
    again = calibrate(small((STAY, SEEN), (LONGER, SLOWER)), replications=8, workers=2)
    assert [s.after for s in again.settings] == [s.after for s in both.settings]
    assert again.residuals_table().equals(both.residuals_table())


def test_a_knob_stops_at_its_limit_and_the_target_is_named() -> None:
    found = calibrate(small(knobs=(replace(LONGER, high=1.2),)), replications=4)
    assert found.settings[0].after <= 1.2
    assert found.settings[0].at_limit
    assert found.residuals[0].after.mean == pytest.approx(57.6, rel=0.03)
    (sentence,) = found.unmet
    assert "Stay on the ward: seen 72" in sentence
    assert "At their limits: Stay on the ward" in sentence


def test_what_is_held_out_does_not_pull() -> None:
    other = replace(STAY, id="later", value=500.0, held_out=True)
    found = calibrate(small((STAY, other)), replications=4)
    assert found.settings == calibrate(small(), replications=4).settings
    assert [residual.agrees for residual in found.residuals] == [True, False]
    assert found.unmet == ()


def test_a_knob_no_target_needs_stays_where_it_was() -> None:
    found = calibrate(small((STAY,), (LONGER, SLOWER)), replications=4)
    assert found.settings[1].after == pytest.approx(1.0, abs=0.02)


def test_servers_are_turned_in_whole_numbers() -> None:
    beds = Knob("beds", "Beds", Change("servers", "ward", to=60.0), 30, 90, TOLD)
    full = Target("full", "Occupancy", "occupancy", "ward", 0.8, tolerance=0.05, evidence=TOLD)
    network = small((full,), (beds,))
    network = replace(network, stations=(network.stations[0], replace(network.stations[1], servers=60)))
    found = calibrate(network, replications=4)
    # 20 a day for two days fill 40 of 50 beds.
    assert found.network.station("ward").servers == pytest.approx(50, abs=3)
    assert found.residuals[0].agrees


def test_progress_is_told_and_ends() -> None:
    told: list[tuple[str, int, int]] = []
    calibrate(small(), replications=2, progress=lambda what, done, of: told.append((what, done, of)))
    assert {what for what, _, _ in told} == {"Fitting", "Checking before", "Checking after"}
    assert all(1 <= done <= of for _, done, of in told)


def test_the_network_given_is_not_changed_and_writing_is_only_on_request(tmp_path: Path) -> None:
    network = small()
    found = calibrate(network, replications=2)
    assert network == small()
    assert list(tmp_path.iterdir()) == []
    path = found.write(tmp_path / "network.yaml")
    assert read_network(path) == found.network
    assert turned(network, [s.after for s in found.settings]) == found.network


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (small(knobs=()), "no knobs"),
        (small(targets=()), "no targets"),
        (small((replace(STAY, held_out=True),)), "no targets"),
        (small((replace(STAY, weight=0.0),)), "no targets"),
        (small((replace(STAY, value=math.nan),)), "target stay"),
        (small((replace(STAY, tolerance=math.inf),)), "target stay"),
        (small((replace(STAY, weight=-1.0),)), "target stay"),
        (small((replace(STAY, measure="happiness"),)), "target stay"),
        (small((replace(STAY, of="../../etc"),)), "target stay"),
        (small((replace(STAY, period="2031-01"),)), "target stay"),
        (small((replace(STAY, measure="occupancy"),)), "None of the targets"),
        (small(knobs=(replace(LONGER, low=2.0, high=2.0),)), "knob ward-stay"),
        (small(knobs=(replace(LONGER, low=-1.0),)), "knob ward-stay"),
        (small(knobs=(replace(LONGER, high=math.nan),)), "knob ward-stay"),
        (small(knobs=(replace(LONGER, low=1.5),)), "knob ward-stay"),
        (small(knobs=(replace(LONGER, change=Change("service", "ward", add=1.0)),)), "knob ward-stay"),
        (small(knobs=(replace(LONGER, change=Change("service", "nowhere", times=1.0)),)), "nowhere"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_a_sentence(network: Network, said: str) -> None:
    with pytest.raises(BettercareError, match=said):
        calibrate(network, replications=2, days=5, warm_up=0)


@pytest.mark.parametrize("replications", [1, 0, -3, 10**9])
def test_replications_that_cannot_check_are_refused(replications: int) -> None:
    with pytest.raises(BettercareError, match="replications"):
        calibrate(small(), replications=replications)
