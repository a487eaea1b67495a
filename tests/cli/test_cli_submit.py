"""`ffrtmp submit`: what reaches the farm, and what waiting for a job shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from fake_gateway import FakeGateway
from rich.console import Console
from typer.testing import Result

from ffrtmp_ray.cli import terminal
from ffrtmp_ray.client import Client
from ffrtmp_ray.core.model import JobState

Ffrtmp = Callable[..., Result]

SUBMIT = ("submit", "/in/a.mov", "/out/a.mp4", "--preset", "h264-720p")


def test_every_option_of_a_submission_reaches_the_farm(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    done = ffrtmp(
        *SUBMIT,
        *("--queue", "batch", "--priority", "high", "--gpu", "prefer", "--urgent"),
        *("--owner", "ann", "--label", "title=a=b", "--label", "season=2"),
        *("--max-attempts", "5", "--timeout", "90.5", "--task-timeout", "30"),
        *("--quality", "vmaf", "--quality", "psnr"),
        *("--chunks", "3", "--start", "1:30", "--duration", "12.5"),
        *("--sounds", "eng,fra", "--loudness", "-16", "--subtitles", "all", "--burn", "eng"),
        *("--sound-copying", "allowed", "--webvtt"),
        *("--watermark", "/in/logo.png", "--tag", "title=a=b", "--tag", "comment="),
        *("--poster", "--thumbnails", "5", "--sprite", "1:00", "--images", "webp"),
        *("--not-before", "2030-01-31T18:00+01:00", "--deadline", "2030-02-01T06:00Z"),
        *("--depends-on", "job-7", "--depends-on", "job-8"),
    )

    assert (done.exit_code, done.stdout) == (0, "job-1 pending\n")
    spec = gateway.jobs_by_id["job-1"].spec
    assert spec == spec | {
        "input": "/in/a.mov",
        "output": "/out/a.mp4",
        "preset": "h264-720p",
        "queue": "batch",
        "priority": "high",
        "gpu": "prefer",
        "urgent": True,
        "owner": "ann",
        "labels": {"title": "a=b", "season": "2"},
        "quality": ["vmaf", "psnr"],
        "max_attempts": 5,
        "timeout_seconds": 90.5,
        "task_timeout_seconds": 30,
        "chunks": 3,
        "trim": {"start": 90.0, "duration": 12.5},
        "metadata": {"keep": True, "chapters": True, "set": {"title": "a=b", "comment": ""}},
        "watermark": {
            "image": "/in/logo.png",
            "position": "bottom-right",
            "margin": 0.03,
            "scale": 0.15,
            "opacity": 1,
            "start": None,
            "end": None,
        },
        "sounds": ["eng", "fra"],
        "loudness": -16.0,
        "sound_copying": "allowed",
        "subtitles": "all",
        "webvtt": True,
        "burn": {"track": None, "language": "eng", "file": None, "styles": True, "forced": False},
        "images": {
            "format": "webp",
            "poster": {"time": None, "height": 720},
            "thumbnails": {"every": 5, "height": 180},
            "sprite": {"every": 60, "height": 90, "columns": 10, "rows": 10},
        },
        "depends_on": ["job-7", "job-8"],
    }
    times = {name: datetime.fromisoformat(spec[name]) for name in ("not_before", "deadline")}
    assert times == {
        "not_before": datetime(2030, 1, 31, 17, tzinfo=UTC),
        "deadline": datetime(2030, 2, 1, 6, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("which", "expected"),
    [("2", {"track": 2}), ("/in/a b.srt", {"file": "/in/a b.srt"}), ("fra", {"language": "fra"})],
)
def test_what_is_burned_in_is_a_number_a_language_or_a_file(
    which: str, expected: dict[str, object], ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    ffrtmp(*SUBMIT, "--burn", which)

    burn = gateway.jobs_by_id["job-1"].spec["burn"]
    assert {name: burn[name] for name in ("track", "language", "file") if burn[name]} == expected


def test_a_time_without_a_zone_is_of_this_machine(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    ffrtmp(*SUBMIT, "--not-before", "2030-01-31T18:00")

    sent = datetime.fromisoformat(gateway.jobs_by_id["job-1"].spec["not_before"])
    assert sent == datetime(2030, 1, 31, 18).astimezone()


def test_relative_paths_are_taken_from_the_present_folder(
    ffrtmp: Ffrtmp, gateway: FakeGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    ffrtmp("submit", "a.mov", "made/a.mp4", "--preset", "web")
    ffrtmp("submit", "https://host/a.mov", "b.mp4", "--preset", "web")

    paths = [(job.input, job.output) for job in gateway.jobs_by_id.values()]
    assert paths == [
        (f"{tmp_path}/a.mov", f"{tmp_path}/made/a.mp4"),
        ("https://host/a.mov", f"{tmp_path}/b.mp4"),
    ]


def test_a_job_may_be_one_that_gives_way_to_nobody(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    ffrtmp(*SUBMIT)
    ffrtmp("submit", "/in/a.mov", "/out/b.mp4", "--preset", "web", "--not-preemptible")

    preemptible = [job.spec["preemptible"] for job in gateway.jobs_by_id.values()]
    assert preemptible == [True, False]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.toml", '[[renditions]]\nname = "low"\ncodec = "h264"\ncrf = 24\n'),
        ("l.json", '{"renditions": [{"name": "low", "codec": "h264", "crf": 24}]}'),
    ],
)
def test_a_ladder_is_read_from_a_file(
    ffrtmp: Ffrtmp, gateway: FakeGateway, tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)

    done = ffrtmp("submit", "/in/a.mov", "/out/a.mp4", "--ladder", str(tmp_path / name))

    assert done.exit_code == 0
    ladder = gateway.jobs_by_id["job-1"].spec["ladder"]
    assert [rendition["name"] for rendition in ladder["renditions"]] == ["low"]


@pytest.mark.parametrize(("name", "kind"), [("l.toml", "TOML"), ("l.json", "JSON")])
def test_a_ladder_that_cannot_be_read_is_one_line(
    ffrtmp: Ffrtmp, tmp_path: Path, name: str, kind: str
) -> None:
    (tmp_path / name).write_text("{")

    done = ffrtmp("submit", "/in/a.mov", "/out/a.mp4", "--ladder", str(tmp_path / name))

    assert done.exit_code == 1
    assert f"cannot be read as {kind}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_is_wrong_in_a_ladder_is_named_by_the_farm(ffrtmp: Ffrtmp, tmp_path: Path) -> None:
    file = tmp_path / "l.json"
    file.write_text('{"renditions": [{"name": "low", "codec": "h265", "crf": 24}]}')

    done = ffrtmp("submit", "/in/a.mov", "/out/a.mp4", "--ladder", str(file))

    assert done.exit_code == 1
    assert done.stderr == (
        "error: ladder.renditions[0].codec: should be 'h264', 'hevc', 'av1' or 'vp9', not 'h265'\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("submit", "/in/a.mov", "/out/a.mp4"),
        (*SUBMIT, "--label", "nothing"),
        (*SUBMIT, "--priority", "urgent"),
        (*SUBMIT, "--deadline", "tomorrow"),
        (*SUBMIT, "--ladder", "/nowhere/l.toml"),
        ("submit", "/in/a.mov", "--preset", "web"),
        ("submitt",),
    ],
)
def test_wrong_usage_is_exit_code_2_and_submits_nothing(
    ffrtmp: Ffrtmp, gateway: FakeGateway, arguments: tuple[str, ...]
) -> None:
    done = ffrtmp(*arguments)

    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr
    assert not gateway.jobs_by_id


def test_waiting_shows_the_states_on_stderr_and_the_outputs_on_stdout(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    gateway.script = [
        {"state": JobState.PROCESSING, "progress": 50.0},
        {
            "state": JobState.COMPLETED,
            "progress": 100.0,
            "finished_at": 1_800_000_076.0,
            "outputs": [
                {
                    "path": "/out/a.mp4",
                    "bytes": 1_234_567,
                    "duration_seconds": 12.0,
                    "video": "h264 1280x720",
                }
            ],
        },
    ]

    done = ffrtmp(*SUBMIT, "--wait")

    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "job-1 processing",
        "job-1 completed",
        "job job-1 took 1 min 15 s",
    ]
    for part in ("/out/a.mp4", "1.2 MB", "12 s", "h264 1280x720"):
        assert part in done.stdout


def test_waiting_for_a_job_that_fails_says_why_and_is_exit_code_1(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    gateway.script = [
        {
            "state": JobState.FAILED,
            "failure": {"kind": "bad_input", "reason": "the file has no video"},
        }
    ]

    done = ffrtmp(*SUBMIT, "--wait")

    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == "error: job job-1 is failed: the file has no video"


def test_waiting_that_is_interrupted_leaves_the_job_and_says_how_to_find_it(
    ffrtmp: Ffrtmp, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "watch", interrupted)

    done = ffrtmp(*SUBMIT, "--wait")

    assert done.exit_code == 130
    assert "ffrtmp watch job-1" in done.stderr
    assert gateway.jobs_by_id["job-1"].state == "pending"


def test_on_a_terminal_waiting_shows_a_bar_with_speed_and_time_left(
    ffrtmp: Ffrtmp, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(terminal, "stderr", lambda: console)
    working = {"progress": 40.0, "speed": 2.5, "fps": 60.0, "eta_seconds": 12.0}
    gateway.script = [
        {"waiting": "no worker has 4 CPUs free"},
        {"state": JobState.PROCESSING, "waiting": None, **working},
        {"state": JobState.COMPLETED, "progress": 100.0, "speed": None},
    ]

    assert ffrtmp(*SUBMIT, "--wait").exit_code == 0

    shown = screen.getvalue()
    for part in ("no worker has 4 CPUs free", "40.0 %", "2.50x, 60 fps, 12 s left", "100.0 %"):
        assert part in shown
