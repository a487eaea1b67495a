"""Deploys the API on Ray Serve, by import path: `serve.app:build`.

The only module here that imports Ray. `serve` means Ray's in it; our own are imported relatively.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from ray import serve

from ffrtmp_ray.cluster import collector
from ffrtmp_ray.cluster.gateway import Gateway

from .api import MAX_BATCH_BYTES, MAX_BODY_BYTES, make_app


class Options(BaseModel):
    """What `build` may be given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_body_bytes: int = Field(default=MAX_BODY_BYTES, gt=0)
    max_batch_bytes: int = Field(default=MAX_BATCH_BYTES, gt=0)
    replicas: int = Field(default=1, ge=1)
    """Processes that answer requests."""


class Api:
    """One replica: the FastAPI application on a gateway of its own."""

    def __init__(self, options: Options) -> None:
        self._options = options

    async def __serve_build_asgi_app__(self) -> FastAPI:
        """Ray Serve calls this when the replica starts; it starts it again when this raises."""
        collector.look_once()
        gateway = await Gateway.connect()
        return make_app(gateway, **self._options.model_dump(exclude={"replicas"}))


def build(args: dict[str, Any]) -> serve.Application:
    """The application that `serve.run` and `serve deploy` take.

    `args` are fields of `Options`; pydantic's ValidationError names those that are none.
    """
    # No CPUs: those are the workers'. Requests wait on the scheduler, not on this process, so many
    # may be under way at once; on shutdown they are given these seconds to end. A replica that died
    # is missed within a second: where it is the only one, requests wait for its successor.
    options = Options.model_validate(args)
    deployment = serve.deployment(
        name="api",
        num_replicas=options.replicas,
        max_ongoing_requests=1000,
        graceful_shutdown_timeout_s=5,
        health_check_period_s=1,
        ray_actor_options={"num_cpus": 0},
    )
    return deployment(serve.ingress()(Api)).bind(options)
