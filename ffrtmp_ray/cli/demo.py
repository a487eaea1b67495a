"""`ffrtmp demo`: the whole farm on this machine, on real footage, checked and ended again.

Uses only what a user would: `up`, the HTTP API, `down`.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import imageio_ffmpeg  # type: ignore[import-untyped]  # it ships no types
import typer
from rich.console import Console

from ffrtmp_ray.cli import terminal
from ffrtmp_ray.cli.demo_plan import impossible, specs
from ffrtmp_ray.cli.demo_view import report, title, view_for
from ffrtmp_ray.cli.footage import get_footage
from ffrtmp_ray.cli.options import AsJson
from ffrtmp_ray.cli.up import settings_with
from ffrtmp_ray.client import Client
from ffrtmp_ray.cluster import local_ports
from ffrtmp_ray.cluster.bring_up import bring_up, take_down
from ffrtmp_ray.cluster.local_ray import Head
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.errors import CallerError, MachineError
from ffrtmp_ray.views import JobDetail

HOST = "127.0.0.1"
LOOK_SECONDS = 0.2
"""Between two looks at the jobs."""
DECODE_SECONDS = 300.0


def demo(
    output: Annotated[
        Path, typer.Option(file_okay=False, resolve_path=True, help="Where everything is put.")
    ] = Path("demo-output"),
    footage: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            resolve_path=True,
            help="A folder of clips of your own, in place of downloaded ones.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that the jobs may take.")] = 600,
    as_json: AsJson = False,
) -> None:
    """Show the farm at work: start it, transcode real footage, check every output, end it."""
    with _interruptible():
        jobs = _demo(output, footage, timeout, Stage(err=as_json))
    if as_json:
        terminal.print_json(jobs)


@dataclass(frozen=True)
class Stage:
    """Where the demo's words go. Unlike other commands', what it does is its result."""

    err: bool
    """To stderr, where the result is to be JSON."""

    def say(self, text: str) -> None:
        """What is being done."""
        self.echo(f"· {text}")

    def echo(self, text: str) -> None:
        typer.echo(text, err=self.err)


def _demo(output: Path, footage: Path | None, timeout: float, stage: Stage) -> list[JobDetail]:
    """The jobs, all done and checked. Raises Exit when something is not as it should be."""
    clips = get_footage(output / "footage", stage.say) if footage is None else _own(footage)
    run = output / datetime.now(UTC).strftime("run-%Y%m%d-%H%M%S")
    made = run / "outputs"
    made.mkdir(parents=True)
    settings = settings_with(
        state_dir=run / "state",
        database="",
        http_host=HOST,
        http_port=local_ports.free_port(HOST),
        input_roots=(clips[0].parent, run),
        output_roots=(made,),
    )
    began = time.monotonic()
    try:
        record = bring_up(settings, Head(settings.state_dir), say=stage.say)
        stage.say(
            f"ready after {time.monotonic() - began:.0f} s: API {record.http}/docs, "
            f"dashboard {record.dashboard}"
        )
        with (
            _interruptible(),
            Client(str(record.http)) as farm,
        ):  # again: Ray has taken SIGTERM over
            jobs = _transcode(farm, clips, made, timeout, stage)
            problems = [problem for job in jobs for problem in _problems(job, stage)]
            problems += _refuse(farm, run, made, stage)
    finally:
        with _uninterruptible():
            take_down(settings.state_dir, stage.say)
    stage.say("the farm has ended")
    _conclude(problems, made, settings.state_dir, stage)
    return jobs


def _transcode(
    farm: Client, clips: list[Path], made: Path, timeout: float, stage: Stage
) -> list[JobDetail]:
    """Do the mix; return the jobs when all have ended."""
    ids = [farm.submit(spec).id for spec in specs(clips, made)]
    stage.say(f"{len(ids)} jobs are submitted")
    jobs = _follow(farm, ids, timeout, Console(stderr=stage.err))
    for line in ("", *report(jobs), ""):
        stage.echo(line)
    stage.say("decoding every output from its first frame to its last")
    return jobs


def _follow(farm: Client, ids: list[str], timeout: float, console: Console) -> list[JobDetail]:
    """Show the jobs until all have ended."""
    until = time.monotonic() + timeout
    jobs = {job_id: farm.job(job_id) for job_id in ids}
    with view_for(console) as view:
        while True:
            for job in jobs.values():
                view.show(job)
            going = [job.id for job in jobs.values() if not job.state.terminal]
            if not going:
                return list(jobs.values())
            if time.monotonic() > until:
                raise MachineError(
                    f"{len(going)} of {len(ids)} jobs have not ended within {timeout:g} s",
                    remedy="give a slow machine more with --timeout",
                )
            time.sleep(LOOK_SECONDS)
            jobs |= {job_id: farm.job(job_id) for job_id in going}


def _problems(job: JobDetail, stage: Stage) -> Iterator[str]:
    """What is wrong with a job's outcome; nothing when all of it can be played."""
    if job.state is not JobState.COMPLETED:
        yield f"{title(job)}: {job.state}, {job.failure.reason if job.failure else 'no reason'}"
        return
    if not job.outputs:
        yield f"{title(job)}: completed without an output"
    for output in job.outputs:
        wrong = decode(Path(output.path))
        if wrong:
            yield f"{output.path}: {wrong}"
        else:
            stage.echo(f"    plays   {output.path}")


def decode(path: Path) -> str | None:
    """Decode all of a file; None when that goes without a word, else the first thing said."""
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    command = [ffmpeg, "-v", "error", "-nostdin", "-xerror", "-i", str(path), "-f", "null", "-"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DECODE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"is not decoded within {DECODE_SECONDS:g} s"
    said = done.stderr.strip().splitlines()
    if done.returncode == 0 and not said:
        return None
    return said[0] if said else f"ffmpeg exits with {done.returncode}"


def _refuse(farm: Client, run: Path, made: Path, stage: Stage) -> list[str]:
    """Submit what cannot be done; return what is wrong with how it is refused."""
    spec = impossible(run, made)
    name = Path(spec.input).name
    try:
        job = farm.wait(farm.submit(spec).id, timeout=60)
    except CallerError as error:
        stage.say(f"a text file named {name} is refused: {error}")
        return []
    if job.state is JobState.FAILED and job.failure is not None:
        stage.say(f"a text file named {name} is refused: {job.failure.reason}")
        return []
    return [f"a text file was not refused: its job is {job.state}"]


def _conclude(problems: list[str], made: Path, state_dir: Path, stage: Stage) -> None:
    if not problems:
        shutil.rmtree(state_dir)
        stage.echo(f"All is as it should be. The outputs are in {made}")
        return
    for problem in problems:
        typer.echo(f"WRONG  {problem}", err=True)
    typer.echo(f"The farm's database and logs are in {state_dir}", err=True)
    raise typer.Exit(1)


def _own(folder: Path) -> list[Path]:
    clips = sorted(path for path in folder.iterdir() if path.is_file())
    if not clips:
        raise MachineError("there is no file in it", where=str(folder))
    return clips


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Have SIGTERM do as Ctrl-C does: end the farm, then this."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _uninterruptible() -> Iterator[None]:
    """Let nothing keep the farm from being ended."""
    before = {kind: signal.signal(kind, signal.SIG_IGN) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
