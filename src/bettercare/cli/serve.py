"""The commands that look after a server: serve the pages, make accounts, check the store."""

from __future__ import annotations

import errno
import getpass
import shlex
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click
from rich.table import Table
from rich.text import Text

from bettercare.access.roles import Role
from bettercare.cli import commands
from bettercare.cli.commands import DOES_NOT_ADD_UP, Command, Group
from bettercare.errors import BettercareError
from bettercare.plan import Plan, shipped
from bettercare.store import Store

if TYPE_CHECKING:
    from bettercare.access.users import User
    from bettercare.flow import Network

STORE = "bettercare.db"
"""The store where none is named: a file in the folder one works in."""
HOST, PORT = "127.0.0.1", 8000
TRIED = 50
"""Ports tried after the usual one."""
DEMO_STORE = "demo.db"
SHOWN_FIRST = "office"
"""The demonstration account that may do most."""
LOCAL = ("127.0.0.1", "localhost", "::1")


store_option = click.option(
    "--store", "where", default=STORE, show_default=True, envvar="BETTERCARE_STORE",
    help="Where the rows are kept: a file, or an address such as postgresql+psycopg://user@host/name. Also BETTERCARE_STORE.",
)  # fmt: skip


def shell_user() -> str:
    """Who types, for the history."""
    try:
        return f"{getpass.getuser()} (shell)"
    except (KeyError, OSError):
        return "shell"


@contextmanager
def opened(where: str, make: bool = False) -> Iterator[Store]:
    """A store, closed again in the end.

    Args:
        make: whether one that is not there is made, and said to be; its folder must be there.

    Raises:
        BettercareError: it is not there, or cannot be used.
    """
    new = "://" not in where and not Path(where).exists()
    if new and not make:
        raise BettercareError(
            f"There is no store {where!r}.",
            remedy="Make one with `bettercare open PLAN`, or name another with --store.",
        )
    if new and not (folder := Path(where).parent).is_dir():
        raise BettercareError(
            f"There is no folder {str(folder)!r}.", remedy="Make the folder first, or name another store with --store."
        )
    store = Store.open(where)
    if new:
        _say(f"A new store was made: {store.address}.")
    try:
        yield store
    finally:
        store.close()


def _say(text: str) -> None:
    commands.out.print(text, markup=False, highlight=False, soft_wrap=True)


@click.command("serve", cls=Command)
@click.argument("plans", nargs=-1)
@click.option(
    "--store", "where", envvar="BETTERCARE_STORE",
    help=f"Where the rows are kept: a file, or an address such as postgresql+psycopg://user@host/name. Also BETTERCARE_STORE.  [default: {STORE}, with --demo {DEMO_STORE}]",
)  # fmt: skip
@click.option(
    "--host", default=HOST, show_default=True, help="Address to listen at; 0.0.0.0 for every one of this machine."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help=f"Port to listen at.  [default: {PORT}, or the next that is free]"
)
@click.option(
    "--https",
    is_flag=True,
    help="Browsers reach it over https, through a server in front: cookies are sent over https alone.",
)
@click.option(
    "--demo",
    is_flag=True,
    help="Fill the store with an invented year of delivery and make accounts to look around with.",
)
@click.option(
    "--prepare",
    is_flag=True,
    envvar="BETTERCARE_DEMO_EXIT",
    help="Stop before serving: only make everything ready. Also BETTERCARE_DEMO_EXIT=1.",
)
def serve_command(
    plans: tuple[str, ...], where: str | None, host: str, port: int | None, https: bool, demo: bool, prepare: bool
) -> None:
    """Serve the pages and the API until Ctrl-C. PLANS are those served: all that come with bettercare when none is named."""
    import uvicorn

    from bettercare.access.users import users
    from bettercare.web.app import create_app
    from bettercare.web.oidc import oidc_from_environment
    from bettercare.web.state import Deployment, Settings

    where = where or (DEMO_STORE if demo else STORE)
    served, folders = _read(plans)
    networks = {plan: _network(folder) for plan, folder in folders.items()}
    oidc = oidc_from_environment()
    with nullcontext() if prepare else _listening(host, port) as listening, opened(where, make=True) as store:
        note = _demonstrate(store) if demo else ""
        runs = None if "://" in where else Path(f"{where}-runs")
        settings = Settings(https=https, oidc=oidc, folder=runs, note=note)
        deployment = Deployment(store, served, settings, networks, folders)
        app = create_app(deployment)
        _say(f"Plans: {', '.join(served)}. Store: {store.address}.")
        _warn(users(store), demo, host)
        if note:
            _say(note)
        if listening is None:
            again = ["bettercare", "serve", *plans, *(["--demo"] if demo else []), "--store", store.address]
            _say(f"Ready: `{shlex.join(again)}` will serve it.")
            deployment.close()
            return
        _say(f"Open {_address(host, listening, https)} in a browser. Ctrl-C stops it.")
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, server_header=False))
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listening])
        _say("Stopped.")


def _read(plans: tuple[str, ...]) -> tuple[Mapping[str, Plan], Mapping[str, Path]]:
    """The plans by id, and the folder of each that is read from a folder of its own."""
    read: dict[str, Plan] = {}
    folders: dict[str, Path] = {}
    for source in plans or shipped():
        plan = Plan.read(source)
        if plan.id in read:
            raise BettercareError(
                f"Two of the plans are called {plan.id!r}.",
                remedy="Name each once, or change the id in one's plan.yaml.",
            )
        read[plan.id] = plan
        if Path(source).is_dir():
            folders[plan.id] = Path(source)
    return read, folders


def _network(folder: Path) -> Network | None:
    """The network in a plan's folder; None when it has none.

    Raises:
        BettercareError: it has faults.
    """
    from bettercare.flow.network_file import FILE, read_network

    path = folder / "flow" / FILE
    return read_network(path) if path.is_file() else None


def _demonstrate(store: Store) -> str:
    """Fill a store for trying things out; a sentence with the accounts."""
    from bettercare.access.users import users
    from bettercare.demo import ACCOUNTS, PASSWORD, demo_users, fill

    accounts = users(store)
    for_demonstration = any(user.synthetic for user in accounts)
    if accounts and not for_demonstration:
        raise BettercareError(
            f"The store {store.address} has accounts of its own, so accounts whose password everyone can read are not added to it.",
            remedy=f"Give --store another file, such as {DEMO_STORE}.",
        )
    if not for_demonstration:
        _say("Filling the store with an invented year of delivery ...")
    if not fill(store):
        _say("The store is filled already.")
    demo_users(store)
    others = ", ".join(name for name in ACCOUNTS if name != SHOWN_FIRST)
    return (
        f"Demonstration: sign in as {SHOWN_FIRST} with the password {PASSWORD}; or, to be somebody with other rights, as {others} "
        "with the same password. What is marked synthetic is invented."
    )


def _warn(accounts: tuple[User, ...], demo: bool, host: str) -> None:
    """Say what whoever runs the server should know."""
    if not accounts:
        _say("Nobody can sign in yet. Make an account: bettercare user add NAME --role administrator")
    has_others = any(not user.synthetic for user in accounts)
    if any(user.synthetic and user.active for user in accounts) and (not demo or has_others or host not in LOCAL):
        _say("Careful: the store has demonstration accounts, whose password everyone can read.")


def _listening(host: str, port: int | None) -> socket.socket:
    """A socket at a port; the next free one after the usual when none was asked for.

    Raises:
        BettercareError: the port asked for cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for tried in [port] if port is not None else range(PORT, PORT + TRIED):
        try:
            listening = socket.create_server((host, tried), family=family, backlog=1024)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and port is None:
                continue
            why = (
                "is in use"
                if error.errno == errno.EADDRINUSE
                else f"cannot be listened at ({str(error.strerror or error).partition(' (')[0]})"
            )
            raise BettercareError(
                f"Port {tried} of {host} {why}.", remedy="Give --port another number, or --host another address."
            ) from None
        if port is None and tried != PORT:
            _say(f"Port {PORT} is in use, so {tried} is taken.")
        return listening
    raise BettercareError(
        f"The ports from {PORT} to {PORT + TRIED - 1} are all in use.", remedy="Give one with --port."
    )


def _address(host: str, listening: socket.socket, https: bool) -> str:
    port = listening.getsockname()[1]
    name = "localhost" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return f"http{'s' if https else ''}://{name}:{port}"


# --- accounts -------------------------------------------------------------------------------------------------------------


@click.group("user", cls=Group)
def user_group() -> None:
    """Look after accounts: add, list, give a password, make a token for a program."""


@user_group.command("add")
@click.argument("name")
@store_option
@click.option("--name", "called", help="What people call them.  [default: the user name]")
@click.option(
    "--role", type=click.Choice(get_args(Role)), default="viewer", show_default=True, help="What they may do."
)
@click.option("--email", default="", help="Where they are reached; also finds them at the organisation's own sign-in.")
@click.option("--no-password", is_flag=True, help="They sign in with the organisation's account alone.")
@click.option("--must-change", is_flag=True, help="They choose a password of their own at the first sign-in.")
def add_command(
    name: str, where: str, called: str | None, role: Role, email: str, no_password: bool, must_change: bool
) -> None:
    """Make an account. The password is asked for."""
    from bettercare.access.users import create_user, find_user

    with opened(where, make=True) as store:
        if find_user(store, name) is not None:
            raise BettercareError(f"There is already a user {name!r}.", remedy="Choose another user name.")
        password = "" if no_password else _asked()
        user = create_user(
            store,
            shell_user(),
            name,
            name=called or name,
            role=role,
            password=password,
            email=email,
            must_change=must_change,
        )
        _say(f"{user.id} has an account in {store.address}: {user.role}.")


def _asked() -> str:
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same again")
    return password


@user_group.command("list")
@store_option
def list_command(where: str) -> None:
    """Everyone who has an account."""
    from bettercare.access.users import users

    with opened(where) as store:
        table = Table("User name", "Name", "Role", "State", header_style="dim")
        for user in users(store):
            state = ("active" if user.active else "may not sign in") + (", demonstration" if user.synthetic else "")
            table.add_row(*map(Text, (user.id, user.name, user.role, state)))
        commands.out.print(table if table.row_count else Text("There are no accounts yet."))


def _user(store: Store, name: str) -> User:
    from bettercare.access.users import find_user

    user = find_user(store, name)
    if user is None:
        raise BettercareError(f"There is no user {name!r}.", remedy="See them all: bettercare user list")
    return user


@user_group.command("password")
@click.argument("name")
@store_option
@click.option("--must-change", is_flag=True, help="They choose one of their own at the next sign-in.")
def password_command(name: str, where: str, must_change: bool) -> None:
    """Give a user a new password, which is asked for. They are signed out everywhere."""
    from bettercare.access.sign_in import set_password

    with opened(where) as store:
        user = _user(store, name)
        set_password(store, shell_user(), user, _asked(), must_change=must_change)
        _say(f"{user.id} has a new password and is signed out everywhere.")


@user_group.command("token")
@click.argument("name")
@store_option
@click.option("--for", "purpose", required=True, help="What the program does.")
@click.option("--days", default=90, show_default=True, help="How long it lasts, up to 366.")
def token_command(name: str, where: str, purpose: str, days: int) -> None:
    """Make a token with which a program does what a user may. It is shown this once."""
    from bettercare.access.tokens import issue_token

    with opened(where) as store:
        click.echo(issue_token(store, _user(store, name), purpose, days))


# --- the store ------------------------------------------------------------------------------------------------------------


@click.group("store", cls=Group)
def store_group() -> None:
    """Look after the store: bring it up to date, check it."""


@store_group.command("upgrade")
@store_option
def upgrade_command(where: str) -> None:
    """Bring the tables of a store up to this version. Opening it for any purpose does so too."""
    with opened(where) as store:
        _say(f"{store.address} is up to date.")


@store_group.command("check")
@store_option
def check_command(where: str) -> None:
    """Check that the file is sound and that every row agrees with its history. Exit code 1 when not."""
    # Every room that keeps rows is imported with these, so that all registers are checked.

    with opened(where) as store:
        faults = store.check()
        for fault in faults:
            _say(str(fault))
        if faults:
            raise SystemExit(DOES_NOT_ADD_UP)
        _say(f"{store.address} is sound: every row agrees with its history.")
