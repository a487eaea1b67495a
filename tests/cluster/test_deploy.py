"""Connecting to a cluster that does not want us; deploying on a real one, `test_up_down` shows."""

from __future__ import annotations

import pytest
import ray

from ffrtmp_ray.cluster.deploy import connected
from ffrtmp_ray.errors import MachineError


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
