"""`ffrtmp upload`."""

from __future__ import annotations

import json
from pathlib import Path

from fake_gateway import FakeGateway

from ffrtmp_ray.settings import Settings
from tests.cli.conftest import Ffrtmp


def test_a_file_is_sent_and_its_place_printed(
    ffrtmp: Ffrtmp, gateway: FakeGateway, tmp_path: Path
) -> None:
    gateway.settings_now = Settings(workspace=tmp_path / "workspace")
    film = tmp_path / "film.mov"
    film.write_bytes(b"film")
    done = ffrtmp("upload", str(film))
    assert (done.exit_code, done.stdout) == (0, "upload://film.mov\n")
    done = ffrtmp("upload", str(film), "--name", "b.mov", "--json")
    assert json.loads(done.stdout)["input"] == "upload://b.mov"
    again = ffrtmp("upload", str(film))
    assert again.exit_code == 1
    assert "there is an upload film.mov already" in again.stderr
