"""The application: routes, what surrounds every request, and refusals in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

import bettercare
from bettercare.web import api, assets, pages
from bettercare.web.refusals import refuse_in_words, unforeseen
from bettercare.web.state import Deployment
from bettercare.web.surround import Surround

ROUTERS = (*pages.ROUTERS, api.router)
"""Of every page, and of the API."""


def create_app(deployment: Deployment) -> FastAPI:
    """The web application on a deployment.

    Raises:
        BettercareError: the style sheets and scripts were not fetched when bettercare was built.
    """
    assets.assets()

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        deployment.close()

    app = FastAPI(
        title="bettercare", lifespan=life, version=bettercare.__version__, docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json",
        description="Plans as data, and whether they are being delivered.",
    )  # fmt: skip
    app.state.deployment = deployment
    refuse_in_words(app)
    app.include_router(assets.router)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(Surround, https=deployment.settings.https, unforeseen=unforeseen)
    return app
