"""What Ray Serve is told of the API; that it runs there, the tests with a real cluster show."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from serve.app import build


def test_the_api_takes_no_cpus_from_the_workers() -> None:
    deployment = build({})._bound_deployment

    assert deployment.ray_actor_options["num_cpus"] == 0
    assert deployment.num_replicas == 1


def test_the_api_may_have_several_replicas() -> None:
    assert build({"replicas": 2})._bound_deployment.num_replicas == 2
    with pytest.raises(ValidationError, match="replicas"):
        build({"replicas": 0})


def test_an_argument_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValidationError, match="max_body_byte"):
        build({"max_body_byte": 10})
