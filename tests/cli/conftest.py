from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fake_gateway import FakeGateway
from served import served
from typer.testing import CliRunner, Result

from serve.api import make_app
from tests.support.command_line import app

Ffrtmp = Callable[..., Result]


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def ffrtmp(gateway: FakeGateway) -> Iterator[Ffrtmp]:
    """Runs a command line against the real API on a real port."""
    with served(make_app(gateway)) as address:
        runner = CliRunner(env={"FFRTMP_ADDRESS": address})

        def run(*arguments: str) -> Result:
            return runner.invoke(app, arguments, catch_exceptions=False)

        yield run
