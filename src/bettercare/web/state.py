"""What a running server holds: the store, the plans, and the last assessment of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from threading import RLock
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from bettercare.assurance import Assessment, assess, open_programme
from bettercare.errors import BettercareError
from bettercare.flow import Network, read_network, shipped_networks
from bettercare.flow.network_file import FILE
from bettercare.plan import Plan
from bettercare.store import Missing, Store
from bettercare.twin import find_twin
from bettercare.web.flow_jobs import FlowJobs
from bettercare.web.jobs import Jobs

T = TypeVar("T")


@dataclass(frozen=True)
class Oidc:
    """A provider of identities that people may sign in with (OpenID Connect)."""

    issuer: str
    client_id: str
    client_secret: str
    name: str = "your organisation's account"
    """What the sign-in page calls it."""


@dataclass(frozen=True)
class Settings:
    """How a server is set up."""

    https: bool = False
    """Whether browsers reach it over https; cookies are then sent over https alone."""
    oidc: Oidc | None = None
    folder: Path | None = None
    """Where results of model runs are kept between restarts; None keeps them for the life of the server."""
    note: str = ""
    """A sentence on the sign-in page, such as the demo account's name and password."""


class _Made:
    """Something made once, by whoever asks first. Others who ask for it wait; those who ask for something else do not."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._value: Any = None
        self._there = False

    def get(self, make: Callable[[], T]) -> T:
        with self._lock:
            if not self._there:
                self._value, self._there = make(), True
            value: T = self._value
            return value


@dataclass
class _Held:
    """The last assessment of one plan and what pages have made from it."""

    lock: RLock = field(default_factory=RLock)
    assessment: Assessment | None = None
    today: date = date.min
    made: dict[Any, _Made] = field(default_factory=dict)


class Deployment:
    """The store, the plans and the settings of one server. Safe to share between threads."""

    def __init__(
        self,
        store: Store,
        plans: Mapping[str, Plan],
        settings: Settings | None = None,
        networks: Mapping[str, Network | None] | None = None,
        folders: Mapping[str, Path] | None = None,
    ) -> None:
        """Hold a store and plans.

        Args:
            networks: by plan, where they are not the shipped ones; None for a plan that has none.
            folders: by plan, where it was read from a folder of its own.
        """
        self.store = store
        self.plans = plans
        self._networks = networks or {}
        self._folders = folders or {}
        self.settings = settings or Settings()
        self._held = {plan: _Held() for plan in plans}
        self._kept = _Held()
        self.jobs = Jobs(self.settings.folder)
        self.flow_jobs = FlowJobs(self.settings.folder, self.twin)
        for plan in plans.values():
            open_programme(store, plan, "bettercare")

    def plan(self, plan: str) -> Plan:
        """A plan by its id.

        Raises:
            Missing: this server does not hold it.
        """
        if plan not in self.plans:
            raise Missing(f"There is no plan {plan!r} here.", remedy="Choose one from the list of plans.")
        return self.plans[plan]

    def network(self, plan: str) -> Network | None:
        """The plan's network of care; None when it has none. Read once.

        Raises:
            Missing: this server does not hold the plan.
            BettercareError: the network has faults.
        """
        self.plan(plan)
        if plan in self._networks:
            return self._networks[plan]
        return self.keep(("network", plan), lambda: _shipped_network(plan))

    def twin(self, plan: str) -> Path:
        """The file that joins a plan to its network: in the plan's own folder, or else beside the shipped network.

        Raises:
            BettercareError: there is none.
        """
        folder = self._folders.get(plan)
        network = folder / "flow" / FILE if folder else _shipped_file(plan)
        if network is None:
            raise BettercareError(f"No network is shipped with {plan!r}.", remedy=f"Give the plan a file flow/{FILE}.")
        return find_twin(plan, network)

    def assessment(self, plan: str) -> Assessment:
        """The plan judged at its data date; the same object until the store changes.

        Raises:
            Missing: this server does not hold the plan.
        """
        its = self.plan(plan)
        held = self._held[plan]
        revision, today = self.store.revision(plan), date.today()
        with held.lock:
            kept = held.assessment
            if kept is None or kept.revision < revision or held.today != today:
                held.assessment, held.today, held.made = assess(self.store, its), today, {}
            assert held.assessment is not None
            return held.assessment

    def remember(self, assessment: Assessment, key: Any, make: Callable[[], T]) -> T:
        """What ``make`` gives, made once for an assessment and kept as long as the store does not change.

        It is shown to everyone, so it holds nothing of the visitor; and a key has nothing in it that a visitor may choose without end.
        """
        held = self._held[assessment.plan.id]
        with held.lock:
            made = held.made.setdefault(key, _Made()) if held.assessment is assessment else _Made()
        return made.get(make)

    def keep(self, key: Any, make: Callable[[], T]) -> T:
        """What ``make`` gives, made once for the life of the server: for what follows from a plan alone."""
        with self._kept.lock:
            made = self._kept.made.setdefault(key, _Made())
        return made.get(make)

    def close(self) -> None:
        """Stop what runs behind the pages."""
        self.jobs.close()
        self.flow_jobs.close()


def _shipped_network(plan: str) -> Network | None:
    path = _shipped_file(plan)
    return read_network(path) if path is not None else None


def _shipped_file(plan: str) -> Path | None:
    # <plan>/flow/network.yaml; a plan need not have one.
    return next((path for path in shipped_networks().values() if path.parent.parent.name == plan), None)


def deployment_of(request: Request) -> Deployment:
    """The deployment that a request came to."""
    deployment: Deployment = request.app.state.deployment
    return deployment


def _assessment_of(request: Request, plan: str) -> Assessment:
    return deployment_of(request).assessment(plan)


def network_of(deployment: Deployment, assessment: Assessment) -> Network:
    """The plan's network of care.

    Raises:
        Missing: it has none.
    """
    network = deployment.network(assessment.plan.id)
    if network is None:
        raise Missing(
            f"{assessment.plan.title} has no network of care, so there is no flow to show, and there are no wards to show.",
            remedy="Give the plan a file flow/network.yaml.",
        )
    return network


async def _deployed(request: Request) -> Deployment:
    # Asynchronous so that it is not sent to a thread of its own.
    return deployment_of(request)


Deployed = Annotated[Deployment, Depends(_deployed)]
"""For a route's signature: the deployment."""
Assessed = Annotated[Assessment, Depends(_assessment_of)]
"""For the signature of a route under ``/plans/{plan}``: the plan's assessment; 404 in words when there is no such plan."""
