"""Which ffmpeg is used, and what it calls itself."""

from pathlib import Path

import pytest

from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.media.ffmpeg import find, version


def test_the_ffmpeg_of_the_installation_is_used_unless_another_is_chosen(
    ffmpeg: str, tmp_path: Path
) -> None:
    other = tmp_path / "ffmpeg"
    other.touch(mode=0o755)
    assert find(None) == ffmpeg
    assert find(other) == str(other)


def test_a_chosen_program_that_cannot_be_run_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "ffmpeg"
    plain.touch(mode=0o644)
    for path in (plain, tmp_path, tmp_path / "missing"):
        with pytest.raises(MachineError, match="no program that can be run") as caught:
            find(path)
        assert caught.value.where == str(path)


async def test_ffmpeg_says_its_version(ffmpeg: str) -> None:
    assert (await version(ffmpeg))[0] in "n0123456789"


async def test_a_program_that_is_no_ffmpeg_is_found_out(tmp_path: Path) -> None:
    other = tmp_path / "ffmpeg"
    other.write_text("#!/bin/sh\necho ffmpeg of my own >&2\n")
    other.chmod(0o755)
    with pytest.raises(MachineError, match="no ffmpeg"):
        await version(str(other))
