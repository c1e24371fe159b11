"""How fast the dashboard answers: 200 monthly metrics with five years of figures, 20 people at once.

    python benchmarks/dashboard.py [--users 20] [--seconds 10] [--json FILE]

A real server on loopback, with a store on disk; in a process of its own, so many people signed in who each ask for the dashboard again as
soon as they have it (no pause to read, which is harder than people are). Limit: 95 in 100 answers within 100 ms at the server. The server's
time is from the request's arrival to the last byte handed over, its wait for the processor included; ``seen`` is what the people waited,
with their own reading of the page on the same two cores. Beside it, ``bare``: the same framework handing out the same bytes, no store, no
sign-in. ``first`` is the answer after something was stored, when everything is judged anew.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import random
import socket
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import quantiles
from typing import Any

import uvicorn
from fastapi import FastAPI, Response

from bettercare.access.sessions import start_session
from bettercare.access.users import create_user
from bettercare.assurance.metrics import Actual
from bettercare.assurance.programme import Programme
from bettercare.plan import Plan
from bettercare.store import Store
from bettercare.web.app import create_app
from bettercare.web.state import Deployment

LIMIT_MS = 100.0
METRICS, MONTHS = 200, 60
PLAN = "leicestershire-bcf-2014"


class Timed:
    """Notes how long each request took at the server, from its arrival to the end of its answer."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app, self.took = app, list[float]()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        before = time.perf_counter()
        await self.app(scope, receive, send)
        if scope["type"] == "http":
            self.took.append((time.perf_counter() - before) * 1000)


def large_plan() -> Plan:
    """The fund's plan with monthly metrics added up to the number wanted, each with the trajectory of delayed transfers."""
    plan = Plan.read(PLAN)
    metrics, aims = plan["metrics"], plan["trajectories"]
    rows, points = list(metrics.rows), list(aims.rows)
    model = metrics.by_id["m3"]
    for number in range(len(rows), METRICS):
        name = f"extra-{number:03}"
        rows.append(_like(model, id=name, name=f"Delayed transfers of care, measure {number}"))
        points += [_like(point, id=f"{name}-{point.id}", metric=name) for point in aims if point["metric"] == model.id]
    tables = {
        **plan.tables,
        "metrics": replace(metrics, rows=tuple(rows)),
        "trajectories": replace(aims, rows=tuple(points)),
    }
    return replace(plan, tables=tables)


def _like(row: Any, **changes: str) -> Any:
    return replace(row, values={**row.values, **changes}, text={**row.text, **changes})


def figures(plan: Plan) -> list[Actual]:
    """Five years of invented months for every monthly metric."""
    rng = random.Random(2016)
    months = [date(2011 + i // 12, i % 12 + 1, 1) for i in range(3, 3 + MONTHS)]
    return [
        Actual(
            plan=plan.id, id=f"{row.id}@{month}#1", metric=row.id, period=month, synthetic=True, source="Invented for the benchmark",
            value=Decimal(f"{360 + rng.gauss(0, 8):.2f}"),
        )
        for row in plan["metrics"] if row["frequency"] == "monthly" for month in months
    ]  # fmt: skip


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """Serve an application on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", access_log=False, lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join()


def ask(port: int, path: str, cookie: str, until: float, waits: list[float]) -> None:
    """One person: asks again as soon as the page is there."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while time.perf_counter() < until:
        before = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        waits.append((time.perf_counter() - before) * 1000)
    connection.close()


def crowd(port: int, path: str, cookies: list[str], seconds: float, pipe: Any) -> None:
    """Everyone at once, in a process of their own; sends back what each answer took them, in milliseconds."""
    waits: list[float] = []
    until = time.perf_counter() + seconds
    people = [threading.Thread(target=ask, args=(port, path, cookie, until, waits)) for cookie in cookies]
    for person in people:
        person.start()
    for person in people:
        person.join()
    pipe.send(waits)


def measured(app: Any, path: str, cookies: list[str], seconds: float) -> dict[str, float]:
    """Serve an application to the crowd."""
    timed = Timed(app)
    with serving(timed) as port:
        ask(port, path, cookies[0], time.perf_counter() + 0.5, [])
        timed.took.clear()
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=crowd, args=(port, path, cookies, seconds, theirs)
        )
        process.start()
        waits = ours.recv()
        process.join()
    at_server, seen = quantiles(timed.took, n=100), quantiles(waits, n=100)
    return {
        "answers_a_second": len(waits) / seconds, "server_p50_ms": at_server[49], "server_p95_ms": at_server[94], "seen_p50_ms": seen[49],
        "seen_p95_ms": seen[94],
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    path = f"/plans/{PLAN}/dashboard"
    with tempfile.TemporaryDirectory() as folder:
        store, plan = Store.open(Path(folder) / "bench.db"), large_plan()
        deployment = Deployment(store, {plan.id: plan})
        made = figures(plan)
        with store.change("bench", "Figures of the benchmark") as changing:
            programme = store.read(Programme, plan.id, plan.id)
            changing.replace(programme.model_copy(update={"as_at": date(2016, 3, 31)}))
            changing.add_all(made)
        cookies = []
        for number in range(given.users):
            user = create_user(
                store,
                "bench",
                f"person{number}",
                name=f"Person {number}",
                role="viewer",
                password=f"a long password {number}",
            )
            cookies.append(f"bettercare={start_session(store, user)[0]}")
        app = create_app(deployment)
        with serving(app) as port:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            before = time.perf_counter()
            connection.request("GET", path, headers={"Cookie": cookies[0]})
            body = connection.getresponse().read()
            first = (time.perf_counter() - before) * 1000
            connection.close()
        ours = measured(app, path, cookies, given.seconds)
        plain = FastAPI()
        plain.get(path)(lambda: Response(body, media_type="text/html"))
        bare = measured(plain, path, cookies, given.seconds)
        store.close()
    found: dict[str, Any] = {
        "metrics": len(plan["metrics"]), "figures": len(made), "users": given.users, "seconds": given.seconds, "page_bytes": len(body), "load_before": round(load, 2),
        "first_ms": first, "dashboard": ours, "bare": bare, "limit_ms": LIMIT_MS, "share_of_limit": ours["server_p95_ms"] / LIMIT_MS,
        "times_bare": ours["server_p50_ms"] / bare["server_p50_ms"],
    }  # fmt: skip
    print(json.dumps(found, indent=2))
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
