"""The handle of driver scripts, as far as it goes without a farm: what is wrong is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffrtmp_ray.cluster.driver import Farm, connect
from ffrtmp_ray.errors import InvalidRequest, MachineError


@pytest.fixture(autouse=True)
def _no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFRTMP_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))


def test_where_nothing_answers_connect_says_so_and_does_not_wait() -> None:
    with pytest.raises(MachineError, match=r"no Ray answers at 127\.0\.0\.1:1 .*ffrtmp up"):
        connect("127.0.0.1:1")


@pytest.mark.parametrize("address", ["farm", "farm:", ":6379", "ray://farm:10001", "auto"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(MachineError, match="HOST:PORT"):
        connect(address)


def test_where_no_ray_was_ever_started_connect_says_what_to_do() -> None:
    with pytest.raises(MachineError, match="no Ray is known on this machine"):
        connect()


def test_a_wrong_field_is_an_invalid_request() -> None:
    with Farm() as farm:
        with pytest.raises(InvalidRequest, match="priority: Input should be 'high'"):
            farm.submit(input="/a.mov", output="/b.mp4", preset="web", priority="urgent")
        with pytest.raises(InvalidRequest, match="output: Field required"):
            farm.submit(input="/a.mov", preset="web")
