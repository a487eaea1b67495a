"""Puts the HTTP API together from its routes. Knows nothing of Ray: tests give it a fake gateway.

`app.py` deploys it.
"""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from . import openapi, problems
from .body_limit import BodyLimit
from .ports import Gateway
from .routes import batches, health, jobs, metrics, presets, uploads, workers
from .routes import problems as problem_routes

MAX_BODY_BYTES = 1024 * 1024
"""Of a request, unless said otherwise. A spec with sixteen renditions takes four thousand."""

MAX_BATCH_BYTES = 8 * 1024 * 1024
"""Of `POST /jobs:batch`: a thousand such specs take half of it."""


def make_app(
    gateway: Gateway,
    *,
    max_body_bytes: int = MAX_BODY_BYTES,
    max_batch_bytes: int = MAX_BATCH_BYTES,
) -> FastAPI:
    """The API on top of `gateway`. A request whose body is larger than its limit gets a 413."""
    # Its one difference from FastAPI(): the pages at /docs work without the internet.
    app: FastAPI = FastAPIOffline(
        title="ffrtmp",
        version=version("ffrtmp-ray"),
        summary=openapi.SUMMARY,
        description=openapi.DESCRIPTION,
        openapi_tags=list(openapi.TAGS),
        redoc_url=None,
        static_url="/docs-assets",
    )
    limits = {batches.PATH: max_batch_bytes}
    app.add_middleware(
        BodyLimit, max_bytes=max_body_bytes, exceptions=limits, unlimited=uploads.PATH
    )
    app.state.gateway = gateway
    problems.install(app)
    for routes in (jobs, batches, uploads, presets, workers, health, metrics, problem_routes):
        app.include_router(routes.router)
    openapi.describe(app)
    return app
