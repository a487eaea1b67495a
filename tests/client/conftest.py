from __future__ import annotations

from collections.abc import Iterator

import pytest
from fake_gateway import FakeGateway
from served import served

from ffrtmp_ray.client import Client
from serve.api import make_app


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def farm(gateway: FakeGateway) -> Iterator[Client]:
    with served(make_app(gateway)) as address, Client(address) as client:
        yield client
