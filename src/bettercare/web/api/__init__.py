"""The same facts as the pages, for programs: JSON under ``/api/v1``, described by ``/api/v1/openapi.json`` and on the page ``/api/docs``."""

from fastapi import APIRouter

from bettercare.web.api import documentation, flow, fund, live, milestones, performance, plans, registers, reports, runs

router = APIRouter()
for _part in (
    plans.router, plans.about, performance.router, fund.router, milestones.router, *registers.routers, reports.router, reports.history, runs.router,
    flow.router, live.router, documentation.router,
):  # fmt: skip
    router.include_router(_part)

__all__ = ["router"]
