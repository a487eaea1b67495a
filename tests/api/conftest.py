from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fake_gateway import FakeGateway

from serve.api import make_app


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
async def http(gateway: FakeGateway) -> AsyncIterator[httpx.AsyncClient]:
    # Starlette raises a defect again after it has answered; here the answer is looked at.
    transport = httpx.ASGITransport(make_app(gateway), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://farm") as client:
        yield client
