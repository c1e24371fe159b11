"""The commands that run a plan and serve it, as they are typed: output, files, exit codes."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from httpx2 import get

from bettercare.access.sign_in import authenticate
from bettercare.access.tokens import user_of_token
from bettercare.access.users import User
from bettercare.assurance.metrics import Actual
from bettercare.assurance.programme import Programme
from bettercare.cli import main
from bettercare.reports.published import Published, verify
from bettercare.store import Store

BCF, LLR = "leicestershire-bcf-2014", "llr-stp-2016"
PHRASE = "purple kettle on the moor"


def bettercare(*words: str, typed: str = "", code: int = 0, **environment: str) -> Result:
    shown = CliRunner().invoke(
        main, list(words), input=typed, env={"COLUMNS": "200", **environment}, catch_exceptions=False
    )
    assert shown.exit_code == code, shown.output
    assert "Traceback" not in shown.output
    return shown


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A demonstration store, and what was said while it was made."""
    place = tmp_path_factory.mktemp("cli") / "demo.db"
    shown = bettercare("serve", "--demo", "--store", str(place), "--port", "0", BETTERCARE_DEMO_EXIT="1")
    return place, shown.output


@pytest.fixture
def demo(filled: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, named by the environment."""
    place = tmp_path / "demo.db"
    shutil.copy(filled[0], place)
    monkeypatch.setenv("BETTERCARE_STORE", str(place))
    monkeypatch.chdir(tmp_path)
    return place


# --- serving --------------------------------------------------------------------------------------------------------------


def test_a_newcomer_is_told_the_address_and_the_accounts(filled: tuple[Path, str]) -> None:
    place, said = filled
    assert f"A new store was made: {place}." in said
    assert "Filling the store" in said
    assert f"Ready: `bettercare serve --demo --store {place}` will serve it." in said
    assert "http" not in said  # nothing is served yet
    assert "sign in as office with the password look-around-2016" in said
    store = Store.open(place)
    assert authenticate(store, "office", "look-around-2016").role == "programme office"
    for plan in (BCF, LLR):
        assert len({one.period for one in store.list(Actual, plan)}) >= 12
        assert all(one.synthetic or "Invented" not in one.source for one in store.list(Actual, plan))
    store.close()


def test_the_server_answers_until_it_is_stopped(demo: Path) -> None:
    words = [
        sys.executable,
        "-c",
        "from bettercare.cli import main; main()",
        "serve",
        BCF,
        "--store",
        str(demo),
        "--port",
        "0",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = []
        for line in server.stdout:
            said.append(line)
            if line.startswith("Open "):
                break
        assert "Careful: the store has demonstration accounts" in "".join(said)
        answer = get(said[-1].split()[1] + "/sign-in")
        assert (answer.status_code, "server" in answer.headers) == (200, False)
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0
        assert server.stdout.read() == "Stopped.\n"


def test_a_port_in_use_is_said_and_the_next_is_taken_unless_it_was_asked_for(
    demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr("bettercare.cli.serve.PORT", port)
        monkeypatch.setattr("uvicorn.Server.run", lambda server, sockets: None)
        said = bettercare("serve", BCF).output
        assert "Open http://127.0.0.1:" in said
        assert f"Port {port} is in use, so " in said
        assert f"http://127.0.0.1:{port} " not in said
        assert "is in use" in bettercare("serve", BCF, "--port", str(port), code=2).output


def test_accounts_everyone_knows_are_not_added_to_a_store_with_others(tmp_path: Path) -> None:
    at = ("--store", str(tmp_path / "new.db"))
    bettercare("user", "add", "ann", "--no-password", *at)
    said = bettercare("serve", "--demo", "--prepare", *at, code=2).output
    assert "has accounts of its own" in said
    assert "office" not in bettercare("user", "list", *at).output


def test_a_demonstration_goes_on_when_an_account_was_added_to_it(demo: Path) -> None:
    again = bettercare("serve", "--demo", "--prepare").output
    assert "The store is filled already." in again
    assert "Filling" not in again
    assert "new store" not in again
    assert "Careful" not in again
    bettercare("user", "add", "ann", "--no-password")
    said = bettercare("serve", "--demo", "--prepare").output
    assert "Careful: the store has demonstration accounts" in said
    assert "sign in as office" in said


def test_a_store_is_made_only_in_a_folder_that_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "nosuch"
    said = bettercare("serve", BCF, "--prepare", "--store", str(folder / "x.db"), code=2).output
    assert "There is no folder" in said
    assert not folder.exists()


def test_whoever_serves_an_empty_store_is_told_how_somebody_can_sign_in(tmp_path: Path) -> None:
    said = bettercare("serve", BCF, "--prepare", "--port", "0", "--store", str(tmp_path / "new.db")).output
    assert "bettercare user add NAME --role administrator" in said


# --- accounts and the store -----------------------------------------------------------------------------------------------


def test_accounts_are_made_and_given_passwords_and_tokens(tmp_path: Path) -> None:
    at = ("--store", str(tmp_path / "new.db"))
    bettercare(
        "user", "add", "Ann", "--name", "Ann Other", "--role", "administrator", *at, typed=f"{PHRASE}\n{PHRASE}\n"
    )
    assert "Ann Other" in bettercare("user", "list", *at).output
    bettercare("user", "password", "ann", *at, typed=f"{PHRASE}s\n{PHRASE}s\n")
    token = bettercare("user", "token", "ann", "--for", "A test", *at).output.strip()
    store = Store.open(tmp_path / "new.db")
    ann = authenticate(store, "ann", f"{PHRASE}s")
    assert ann.role == "administrator"
    assert user_of_token(store, token) == ann
    assert store.history(User, "", "ann")[0].by.endswith("(shell)")
    store.close()
    assert "already a user" in bettercare("user", "add", "ann", *at, code=2).output
    assert "too short" in bettercare("user", "add", "bob", *at, typed="short\nshort\n", code=2).output
    assert "no user" in bettercare("user", "password", "bob", *at, code=2).output
    assert "cannot last" in bettercare("user", "token", "ann", "--for", "A test", "--days", "999", *at, code=2).output


def test_a_store_is_checked_and_brought_up_to_date(demo: Path) -> None:
    assert "is sound" in bettercare("store", "check").output
    assert "up to date" in bettercare("store", "upgrade").output
    store = Store.open(demo)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE ledger SET pence = pence + 1 WHERE id IN (SELECT id FROM ledger LIMIT 1)")
    store.close()
    assert "ledger" in bettercare("store", "check", code=1).output


# --- running a plan -------------------------------------------------------------------------------------------------------


def test_a_plan_is_opened_and_its_data_date_set(tmp_path: Path) -> None:
    at = ("--store", str(tmp_path / "new.db"))
    assert "data date is today" in bettercare("open", BCF, *at).output
    assert "31 January 2016" in bettercare("open", BCF, "--as-at", "2016-01-31", *at).output
    bettercare("open", BCF, *at)
    store = Store.open(tmp_path / "new.db")
    assert str(store.read(Programme, BCF, BCF).as_at) == "2016-01-31"
    assert len(store.history(Programme, BCF, BCF)) == 2
    store.close()


def test_status_is_the_report_on_the_terminal(demo: Path) -> None:
    short = bettercare("status", BCF).output
    assert "Synthetic" in short
    assert "rated metrics" in short
    for part, word in (
        ("dashboard", "Delayed transfers"),
        ("exceptions", "Since"),
        ("fund", "Outturn"),
        ("milestones", "Due"),
    ):
        assert word in bettercare("status", BCF, part).output
    assert "The parts are" in bettercare("status", BCF, "weather", code=2).output
    assert bettercare("status", BCF, "--on", "2015-01-31").output != short


def test_the_chain_is_walked(demo: Path) -> None:
    said = bettercare("chain", BCF, "rag:m4").output
    assert said.index("Trajectory:") < said.index("► Rating:") < said.index("Exception:")
    assert "Did you mean" in bettercare("chain", BCF, "rag:m44", code=2).output


def test_figures_are_imported_all_or_none(demo: Path) -> None:
    bettercare("actuals", "template", BCF, "blank.xlsx")
    assert Path("blank.xlsx").stat().st_size > 4000
    Path("good.csv").write_text("metric,period,value,source\nm3,2015-12,1.25,A test\n", encoding="utf-8")
    Path("bad.csv").write_text(
        "metric,period,value,source\nm3,2015-11,1.5,A test\nm3,2015-13,x,A test\n", encoding="utf-8"
    )
    assert "1 figures would be stored" in bettercare("actuals", "import", BCF, "good.csv", "--dry-run").output
    assert "1.25" not in bettercare("actuals", "list", BCF, "--metric", "m3").output
    assert "2 faults" in bettercare("actuals", "import", BCF, "bad.csv", code=2).output
    bettercare("actuals", "import", BCF, "good.csv")
    listed = bettercare("actuals", "list", BCF, "--metric", "m3").output
    assert "1.25" in listed
    assert "1.50" not in listed
    for words in (["import", BCF, "none.csv"], ["template", BCF, "blank.csv"], ["list", BCF, "--metric", "none"]):
        bettercare("actuals", *words, code=2)


def test_a_report_is_looked_at_and_published(demo: Path) -> None:
    bettercare("report", BCF, "--kind", "board", "--board", "leicestershire-hwb", "--out", "looked")
    assert {path.suffix for path in Path("looked").iterdir()} == {".html", ".pdf", ".xlsx"}
    bettercare("report", BCF, "--publish")
    store = Store.open(demo)
    (published,) = store.list(Published, BCF)
    verify(published)
    assert Path("out", BCF, f"{published.id}.pdf").read_bytes() == published.pdf
    store.close()
    assert "needs a board" in bettercare("report", BCF, "--kind", "board", code=2).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status", BCF, "--store", "none.db"], "There is no store 'none.db'"),
        (["status", "no-such-plan"], "There is no plan"),
        (["status", BCF, "--store", "pyproject.toml"], "is a file of another kind"),
        (["serve", "no-such-plan"], "There is no plan"),
        (["serve", BCF, BCF, "--port", "0"], "Two of the plans"),
        (["serve", BCF, "--host", "nowhere.invalid"], "cannot be listened at"),
        (["report", BCF, "--out", "pyproject.toml"], "is a file"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(words: list[str], said: str, demo: Path) -> None:
    Path("pyproject.toml").write_text("[project]\n" * 200, encoding="utf-8")
    assert said in bettercare(*words, code=2).output
