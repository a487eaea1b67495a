"""Connecting to a cluster that does not want us; deploying on a real one, `test_up_down` shows."""

from __future__ import annotations

import time

import pytest
import ray
from ray import serve
from ray.exceptions import ActorDiedError

from ffrtmp_ray.cluster import deploy
from ffrtmp_ray.cluster.deploy import connected
from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.settings import Settings


def test_a_cluster_that_does_not_let_us_in_is_one_line_that_says_what_to_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(**_: object) -> None:
        raise ConnectionError("Failed to connect to Ray cluster at 10.0.0.1:6379")

    monkeypatch.setattr(ray, "init", refused)

    with (
        pytest.raises(MachineError, match=r"10\.0\.0\.1:6379 does not let us in .*RAY_AUTH_MODE"),
        connected("10.0.0.1:6379"),
    ):
        pytest.fail("it is not connected")


def test_a_proxy_that_serve_has_ended_while_it_came_up_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [ActorDiedError(), ActorDiedError(), None]

    def start(**_: object) -> None:
        if (trouble := answers.pop(0)) is not None:
            raise trouble

    monkeypatch.setattr(serve, "start", start)
    monkeypatch.setattr(deploy, "AGAIN_SECONDS", 0)
    deploy._start_serve(Settings(), until=time.monotonic() + 60)
    assert answers == []


def test_an_api_that_does_not_come_up_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(**_: object) -> None:
        raise ActorDiedError

    monkeypatch.setattr(serve, "start", start)
    with pytest.raises(MachineError, match="the HTTP API does not start"):
        deploy._put_api(Settings(), until=time.monotonic() - 1)
