"""The commands of patient flow, as they are typed: output, files, exit codes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from bettercare.cli import main
from bettercare.errors import BettercareError
from bettercare.flow import Scenario, changed, read_network
from bettercare.flow.decisions import decisions_of
from bettercare.flow.network_file import write_network
from small_hospital import hospital

QUICK = ("--replications", "2", "--days", "7", "--workers", "1")


def bettercare(*words: str, code: int = 0) -> Result:
    shown = CliRunner().invoke(main, ["flow", *words], env={"COLUMNS": "200"}, catch_exceptions=False)
    assert shown.exit_code == code, shown.output
    assert "Traceback" not in shown.output
    return shown


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The file of a small network, in an empty folder that is worked in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    return str(write_network(hospital(), tmp_path / "nets" / "network.yaml"))


def test_a_run_prints_the_answer_and_writes_its_files(small: str, tmp_path: Path) -> None:
    said = bettercare("run", small, *QUICK, "--log", "events.parquet").output
    assert "Time in the department: within 4 hours" in said
    for ending in ("html", "pdf", "xlsx"):
        assert (tmp_path / "out" / "small" / f"flow-run.{ending}").stat().st_size > 1000
        assert f"Written: out/small/flow-run.{ending}" in said
    log = pl.read_parquet("events.parquet")
    assert set(log["replication"].unique()) == {0, 1}
    again = bettercare(
        "run", str(tmp_path / "nets"), "--replications", "2", "--days", "7", "--workers", "2", "--out", "again"
    ).output
    assert (
        said.splitlines()[:4] == again.splitlines()[:4]
    )  # the numbers do not change with workers, nor by naming the folder
    assert (tmp_path / "again" / "flow-run.html").read_bytes() == (
        tmp_path / "out" / "small" / "flow-run.html"
    ).read_bytes()


def test_scenarios_can_be_joined(small: str, tmp_path: Path) -> None:
    said = bettercare("run", small, *QUICK, "--scenario", "more-beds+nothing").output
    assert "Ten more beds + Nothing at all" in said
    assert (tmp_path / "out" / "small" / "flow-more-beds-nothing.html").exists()


def test_a_run_goes_on_until_it_knows(small: str) -> None:
    said = bettercare(
        "run", small, "--days", "7", "--replications", "200", "--until", "within-4 of four-hour to 40%"
    ).output
    assert "not reached" not in said
    assert "20 runs of 7 days" in Path("out/small/flow-run.html").read_text()  # the fewest that can tell
    short = bettercare("run", small, *QUICK, "--until", "within-4 of four-hour to 0.01%").output
    assert "The precision was not reached in 2 replications." in short


def test_scenarios_are_compared(small: str, tmp_path: Path) -> None:
    said = bettercare("compare", small, *QUICK, "--scenario", "more-beds", "--scenario", "nothing").output
    assert "Ten more beds" in said
    assert "no clear difference" in said
    assert (tmp_path / "out" / "small" / "flow-comparison.xlsx").exists()


def test_a_forecast_without_a_state_invents_one_and_says_so(small: str, tmp_path: Path) -> None:
    words = (
        "forecast",
        small,
        "--replications",
        "5",
        "--hours",
        "12",
        "--workers",
        "1",
        "--decision",
        "open 3 beds at ward two",
        "--decision",
        "more-beds",
    )
    said = bettercare(*words).output
    assert "Synthetic: the state now is invented." in said
    page = (tmp_path / "out" / "small" / "flow-forecast.html").read_text()
    assert "Open 3 beds at Ward two" in page
    assert "From 08:00 on Friday 1 April 2016" in page


def test_a_template_can_be_filled_in_and_forecast_from(small: str, tmp_path: Path) -> None:
    printed = bettercare("template", small).output
    bettercare("template", small, "--out", "now.csv")
    assert (tmp_path / "now.csv").read_text() == printed
    assert printed.startswith("patient,station,class,since,state")
    said = bettercare(
        "forecast", small, "--state", "now.csv", "--replications", "5", "--hours", "6", "--workers", "1"
    ).output
    assert "Synthetic" not in said
    Path("now.csv").write_text("filled in")
    assert "is there already" in bettercare("template", small, "--out", "now.csv", code=2).output
    assert Path("now.csv").read_text() == "filled in"
    bettercare("template", small, "--out", "now.csv", "--force")
    assert Path("now.csv").read_text() == printed
    first = printed.splitlines()[1].split(",")
    Path("bad.csv").write_text(printed.replace(first[1], "the-moon", 1))
    assert "the-moon" in bettercare("forecast", small, "--state", "bad.csv", code=2).output


def test_a_network_is_checked(small: str) -> None:
    said = bettercare("check", small).output
    assert "loads by the traffic equations" in said
    assert "no limit" in said
    assert "small has no faults: 5 stations, 2 streams, 0 escalations, 2 scenarios, 2 targets." in said
    broken = Path(small).read_text().replace("station: team", "station: nowhere")
    Path("broken.yaml").write_text(broken)
    assert "nowhere" in bettercare("check", "broken.yaml", code=2).output


def test_a_calibration_says_what_agrees_and_writes_the_network(small: str, tmp_path: Path) -> None:
    words = ("calibrate", small, "--replications", "4", "--days", "14", "--workers", "1")
    before = Path(small).read_bytes()
    said = bettercare(*words).output
    assert "The network reproduces" in said
    assert "not used by the search" in said
    bettercare(*words, "--write", "fitted.yaml", "--out", "again")
    assert Path(small).read_bytes() == before  # only what is asked for is written
    fitted, was = read_network(tmp_path / "fitted.yaml"), read_network(Path(small))
    assert fitted.services != was.services
    assert fitted.stations == was.stations
    page = (tmp_path / "out" / "small" / "flow-calibration.html").read_text()
    for section in ("fitted", "held-out", "knobs", "basis", "reading"):
        assert f'<section id="{section}"' in page
    assert page == (tmp_path / "again" / "flow-calibration.html").read_text()


def test_shipped_networks_are_listed() -> None:
    assert "stations" in bettercare("list").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "no-such-network"), "There is no network 'no-such-network'"),
        (("run", ""), "No network is named."),
        (("run", "SMALL", "--replications", "0"), "0 replications cannot be run"),
        (("run", "SMALL", "--replications", "-5"), "-5 replications cannot be run"),
        (("run", "SMALL", "--replications", "99999999999999999999999"), "cannot be run"),
        (("run", "SMALL", "--replications", "nan"), "is not a valid integer"),
        (("run", "SMALL", "--days", "0"), "0 days is not possible"),
        (("run", "SMALL", "--days", "99999999999"), "not possible"),
        (("run", "SMALL", "--workers", "0"), "0 workers cannot be had"),
        (("run", "SMALL", "--workers", "100000"), "workers cannot be had"),
        (("run", "SMALL", "--scenario", "mroe-beds"), "Did you mean more-beds?"),
        (("run", "SMALL", "--scenario", ""), "no scenario ''"),
        (("run", "SMALL", "--scenario", "more-beds+more-beds"), "stands twice"),
        (("run", "SMALL", "--until", "soon"), "'soon' is not a precision"),
        (("run", "SMALL", "--until", "within-4 of four-hour to 0%"), "is not a precision"),
        (("run", "SMALL", "--until", "within-4 of four-hour to 1.2.3%"), "is not a precision"),
        (("run", "SMALL", "--until", "within-5 of four-hour to 1%"), "no target of 5 hours"),
        (("run", "SMALL", "--until", "within-4 of cubicles to 1%"), "no clock 'cubicles'"),
        (("run", "SMALL", "--until", "luck of four-hour to 1%"), "'luck' is not a measure"),
        (("run", "SMALL", "--log", "events.csv"), "does not end in .parquet"),
        (("run", "SMALL", "--out", "SMALL"), "is a file"),
        (("compare", "SMALL", "--scenario", "more-beds", "--scenario", "more-beds"), "named twice"),
        (("compare", "SMALL"), "Missing option '--scenario'"),
        (("forecast", "SMALL", "--hours", "0"), "0 hours cannot be forecast"),
        (("forecast", "SMALL", "--hours", "100000"), "cannot be forecast"),
        (("forecast", "SMALL", "--replications", "1"), "cannot have 1 replications"),
        (("forecast", "SMALL", "--state", "gone.csv"), "gone.csv"),
        (("forecast", "SMALL", "--history", "gone.csv"), "gone.csv"),
        (("forecast", "SMALL", "--at", "2016-04-01T08:00"), "Give --state as well"),
        (("forecast", "SMALL", "--at", "yesterday"), "does not match the format"),
        (("forecast", "SMALL", "--decision", "pray"), "'pray' is not a decision"),
        (("forecast", "SMALL", "--decision", ""), "'' is not a decision"),
        (("forecast", "SMALL", "--decision", "open 3 at the moon"), "is none of the network's stations"),
        (("forecast", "SMALL", "--decision", "open 3 at ward"), "could be several of the network's stations"),
        (("forecast", "SMALL", "--decision", "close 99 at team"), "team"),
        (("forecast", "SMALL", "--decision", "divert 101% of walk-ins"), "cannot be diverted"),
        (("forecast", "SMALL", "--decision", "open 3 at handover"), "handover"),
        (("forecast", "SMALL", "--decision", "\x1b[31mred\x00"), "is not a decision"),
        (("forecast", "SMALL", "--decision", "more-beds", "--decision", "more-beds"), "given twice"),
        (("calibrate", "SMALL", "--replications", "1"), "1 replications cannot check a fit"),
        (("calibrate", "SMALL", "--write", "fitted.txt"), "does not end in .yaml"),
        (("calibrate", "SMALL", "--write", "gone/fitted.yaml"), "cannot be written"),
        (("template", "SMALL", "--out", "now.txt"), "does not end in .csv"),
        (("template", "SMALL", "--out", "gone/now.csv"), "cannot be written"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_sentence(
    small: str, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    shown = bettercare(*(small if word == "SMALL" else word for word in words), code=2)
    assert said in " ".join(shown.output.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nets"]  # nothing was written


def test_decisions_in_words(small: str) -> None:
    network = read_network(Path(small))

    def decision_of(text: str) -> Scenario:
        return decisions_of(network, [text], "--decision")[0]

    opened = changed(network, decision_of("Open 4 at Ward two + divert 25% of ambulances"))
    assert opened.station("ward-two").servers == network.station("ward-two").servers + 4
    assert opened.arrivals[1].per_day == pytest.approx(7.5)
    assert decision_of("close 2 at ward-two").changes[0].add == -2
    weekend = decision_of("weekend discharges at ward-one").changes[0]
    assert (weekend.what, weekend.days, weekend.to) == ("leaves_on", (5, 6), 1.0)
    assert decision_of("more-beds") == network.scenarios[0]
    with pytest.raises(BettercareError, match="is not a decision"):
        decision_of("open 3 at " + "x" * 1000)
    long = " + ".join(["open 2 at ward-one"] * 5)
    decisions_of(network, [f"{long} + close {n} at ward-two" for n in (1, 2)], "--decision")
    with pytest.raises(BettercareError, match="given twice"):
        decisions_of(network, ["open 2 at ward-two", "Open 2 beds at Ward two"], "--decision")
    for places in (0, 201, 99999):
        with pytest.raises(BettercareError, match="Give 1 to 200"):
            decision_of(f"open {places} at ward-two")


@pytest.mark.parametrize("seed", ["-1", "0", "18446744073709551616"])
def test_any_seed_will_do(small: str, seed: str) -> None:
    bettercare("run", small, "--replications", "1", "--days", "1", "--workers", "1", "--seed", seed)
