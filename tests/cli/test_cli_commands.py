"""The command line against the real API: what it prints where, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from fake_gateway import FakeGateway, a_worker
from rich.console import Console
from served import free_port
from typer.testing import CliRunner, Result

from ffrtmp_ray.cli import terminal
from ffrtmp_ray.cli.main import app
from ffrtmp_ray.client import Client
from ffrtmp_ray.core.model import JobState, Queue
from ffrtmp_ray.errors import IllegalTransition, SchedulerUnavailable
from ffrtmp_ray.views import LogView

Ffrtmp = Callable[..., Result]

SUBMIT = ("submit", "/in/a.mov", "/out/a.mp4", "--preset", "h264-720p")


# ---------------------------------------------------------------------------------------- submit


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
        *("--sounds", "eng,fra", "--loudness", "-16", "--subtitles", "all"),
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
        "subtitles": "all",
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


# ------------------------------------------------------------------------------------ jobs, job


def test_jobs_are_listed_newest_first_with_their_filters(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    gateway.add(state="failed", queue="live", owner="ann")
    gateway.add(state="completed", queue="live", owner="ann")
    gateway.add(state="queued", queue="live", owner="ann")
    gateway.add(state="failed", queue="live", owner="ann")

    done = ffrtmp(
        "jobs", "--state", "failed", "--state", "completed", "--queue", "live", "--owner", "ann"
    )

    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "job",
        "job-4",
        "job-2",
        "job-1",
    ]
    assert gateway.queries[0].states == (JobState.FAILED, JobState.COMPLETED)
    assert gateway.queries[0].queues == (Queue.LIVE,)


def test_a_listing_ends_at_its_limit(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    for _ in range(5):
        gateway.add()

    assert len(ffrtmp("jobs", "--limit", "2").stdout.splitlines()) == 1 + 2


def test_nothing_is_cut_from_a_listing_that_goes_into_a_pipe(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    path = "/out/[bold]" + "x" * 500 + ":smile:.mp4"
    gateway.add(output=path)

    assert path in ffrtmp("jobs").stdout


def test_no_jobs_is_no_failure(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("jobs")

    assert (done.exit_code, done.stdout) == (0, "")
    assert "no such jobs" in done.stderr


def test_a_job_is_shown_with_its_tasks_attempts_and_transitions(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    gateway.add(
        state="failed",
        progress=None,
        labels={"title": "film"},
        warnings=["subtitles were left out"],
        deadline=1_800_000_060,
        deadline_missed=True,
        depends_on=["job-0"],
        failure={"kind": "crashed", "reason": "ffmpeg ended with code 1"},
        tasks=[
            {
                "id": "job-1-encode0",
                "name": "encode0",
                "kind": "encode",
                "state": "failed",
                "progress": 40,
                "failure": {"kind": "crashed", "reason": "ffmpeg ended with code 1"},
                "attempts": [
                    {
                        "id": "job-1-encode0-1-1",
                        "worker": "worker-n1",
                        "placed_at": 1_800_000_010,
                        "started_at": 1_800_000_010.2,
                        "ended_at": 1_800_000_075.2,
                        "outcome": "crashed",
                    }
                ],
            }
        ],
        outputs=[{"path": "/out/a.mp4", "bytes": 1000}],
        tuned=[
            {
                "rendition": "hd",
                "target_vmaf": 93,
                "crf": 21.5,
                "vmaf": 93.25,
                "samples": 10,
                "probes": [{"crf": 24, "vmaf": 89.5}, {"crf": 21.5, "vmaf": 93.25}],
            }
        ],
        quality=[
            {
                "rendition": "hd",
                "measure": "vmaf",
                "model": "vmaf_v0.6.1",
                "compared_at": "1920x1080",
                "frames": 250,
                "mean": 93.456,
                "harmonic_mean": 92.1,
                "percentile_1": 80.2,
            }
        ],
        transitions=[
            {
                "source": "processing",
                "target": "failed",
                "at": 1_800_000_075,
                "reason": "encode0 failed",
                "who": "scheduler",
            }
        ],
    )

    done = ffrtmp("job", "job-1")

    assert done.exit_code == 0
    for part in (
        "title=film",
        "subtitles were left out",
        "missed",
        "job-0",
        "crashed: ffmpeg ended with code 1",
        "40.0 %",
        "job-1-encode0-1-1",
        "1 min 05 s",
        "encode0 failed",
        "vmaf_v0.6.1",
        "93.456",
        "21.5 for VMAF 93; 10 samples had 93.25 (of 24: 89.5, 21.5: 93.25)",
    ):
        assert part in done.stdout


# ---------------------------------------------------------------------------------------- watch


def test_watching_jobs_ends_when_they_have_ended(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    job = gateway.add(state="processing")
    gateway.script = [{"progress": 10.0}, {"state": JobState.COMPLETED, "progress": 100.0}]

    done = ffrtmp("watch", job.id, "--interval", "0.01")

    assert done.exit_code == 0
    assert "completed" in done.stdout


def test_watching_without_ids_follows_all_unfinished_jobs_to_their_end(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    gateway.add(state="completed")
    gateway.add(state="completed")
    job = gateway.add(state="processing")
    gateway.change_after_listing(job.id, state=JobState.CANCELED)

    done = ffrtmp("watch", "--interval", "0.01", "--json")

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["id"], line["state"]) for line in lines] == [
        (job.id, "processing"),
        (job.id, "canceled"),
    ]
    assert done.exit_code == 1


def test_watching_nothing_ends_at_once(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("watch")

    assert done.exit_code == 0
    assert "no unfinished jobs" in done.stderr


# -------------------------------------------------------------------------------------- control


@pytest.mark.parametrize(
    ("command", "before", "after"),
    [
        ("pause", "processing", "paused"),
        ("resume", "paused", "queued"),
        ("cancel", "queued", "canceled"),
        ("retry", "failed", "pending"),
    ],
)
def test_jobs_are_controlled(
    ffrtmp: Ffrtmp, gateway: FakeGateway, command: str, before: str, after: str
) -> None:
    first, second = gateway.add(state=before), gateway.add(state=before)

    done = ffrtmp(command, first.id, second.id)

    assert (done.exit_code, done.stdout) == (0, f"job-1 {after}\njob-2 {after}\n")


def test_a_job_that_refuses_does_not_keep_the_others_from_their_turn(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    gateway.add(state="completed")
    gateway.add(state="queued")

    done = ffrtmp("cancel", "job-1", "job-2", "job-3", "--json")

    assert done.exit_code == 1
    assert [(job["id"], job["state"]) for job in json.loads(done.stdout)] == [("job-2", "canceled")]
    assert done.stderr.splitlines() == [
        "error: job-1: job job-1 is completed",
        "error: job-3: there is no job job-3 (`ffrtmp jobs` lists them)",
    ]


def test_jobs_are_given_another_place_and_other_labels(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    gateway.add(labels={"show": "pilot"})
    gateway.add(labels={"show": "pilot"})

    done = ffrtmp("change", "job-1", "job-2", "--queue", "live", "--label", "season=2")

    assert (done.exit_code, done.stdout) == (0, "job-1 queued\njob-2 queued\n")
    changed = list(gateway.jobs_by_id.values())
    assert [(job.queue, job.priority) for job in changed] == [("live", "medium")] * 2
    assert [job.labels for job in changed] == [{"season": "2"}] * 2

    assert ffrtmp("change", "job-1", "--no-labels", "--priority", "low").exit_code == 0
    assert gateway.jobs_by_id["job-1"].labels == {}
    assert gateway.jobs_by_id["job-1"].priority == "low"


@pytest.mark.parametrize("options", [(), ("--label", "a=b", "--no-labels")])
def test_a_change_of_nothing_or_of_both_is_wrong_usage(
    ffrtmp: Ffrtmp, options: tuple[str, ...]
) -> None:
    assert ffrtmp("change", "job-1", *options).exit_code == 2


# -------------------------------------------------------------------------------- logs, workers


def test_logs_are_printed_as_they_are_under_their_attempts(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    job = gateway.add()
    gateway.log_views[job.id] = [
        LogView(attempt="job-1-plan-1-1", text="[mov] probe\n"),
        LogView(attempt="job-1-encode0-1-1", text="frame=1\nframe=2\n"),
    ]

    done = ffrtmp("logs", job.id)

    assert done.stdout == (
        "==> job-1-plan-1-1 <==\n[mov] probe\n==> job-1-encode0-1-1 <==\nframe=1\nframe=2\n"
    )


def test_workers_are_listed(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    gateway.worker_views = [a_worker(gpu_sessions=8, gpu_sessions_free=5)]

    done = ffrtmp("workers")

    for part in ("worker-n1-cpu-1", "encoder-1", "4 of 8 free", "5 of 8 free", "51.5 %", "job-1"):
        assert part in done.stdout


def test_workers_are_drained_and_given_work_again(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    gateway.worker_views = [a_worker(id="w1"), a_worker(id="w2")]

    assert ffrtmp("drain", "w1", "w2").stdout == "w1 draining\nw2 draining\n"
    back = ffrtmp("undrain", "w1", "w3", "--json")

    assert back.exit_code == 1
    assert [(worker["id"], worker["state"]) for worker in json.loads(back.stdout)] == [
        ("w1", "ready")
    ]
    assert "w3: there is no such worker" in back.stderr


# ------------------------------------------------------------------------------- JSON and errors


def test_json_is_all_that_is_on_stdout(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    gateway.worker_views = [a_worker()]
    gateway.script = [{}, {"state": JobState.COMPLETED}]

    submitted = ffrtmp(*SUBMIT, "--wait", "--json")
    gateway.log_views["job-1"] = [LogView(attempt="a", text="ü\n")]

    assert json.loads(submitted.stdout)["state"] == "completed"
    assert json.loads(ffrtmp("jobs", "--json").stdout)[0]["id"] == "job-1"
    assert json.loads(ffrtmp("job", "job-1", "--json").stdout)["id"] == "job-1"
    assert json.loads(ffrtmp("logs", "job-1", "--json").stdout) == [{"attempt": "a", "text": "ü\n"}]
    assert json.loads(ffrtmp("workers", "--json").stdout)[0]["hostname"] == "encoder-1"
    assert json.loads(ffrtmp("jobs", "--owner", "nobody", "--json").stdout) == []


def test_an_error_is_one_line_with_its_remedy(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("job", "none", "--json")

    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr == "error: none: there is no job none (`ffrtmp jobs` lists them)\n"


def test_a_scheduler_that_is_away_is_one_line(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    gateway.failing = SchedulerUnavailable("the scheduler does not answer", remedy="try again")

    done = ffrtmp("jobs")

    assert (done.exit_code, done.stderr) == (
        1,
        "error: the scheduler does not answer (try again)\n",
    )


def test_a_defect_of_the_farm_is_one_line_too(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    gateway.failing = IllegalTransition("insides")

    done = ffrtmp("workers")

    assert done.exit_code == 1
    assert "its log says how" in done.stderr
    assert "insides" not in done.stderr


def test_a_farm_that_is_not_there_is_one_line_that_names_the_address() -> None:
    port = free_port()

    done = CliRunner().invoke(app, ["jobs", "--address", f"http://127.0.0.1:{port}"])

    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"no farm answers at http://127.0.0.1:{port} (is `ffrtmp up` running?" in done.stderr


def test_the_console_script_ends_with_the_exit_code_and_without_a_traceback() -> None:
    script = "from ffrtmp_ray.cli.main import run; run()"
    arguments = ["jobs", "--address", f"http://127.0.0.1:{free_port()}"]

    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1


def test_help_names_every_command_and_each_can_answer_in_json(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("--help")

    commands = (
        "up down demo doctor workers drain undrain backup "
        "submit submit-many jobs job watch change pause resume cancel retry logs"
    )
    assert done.exit_code == 0
    for command in commands.split():
        assert f" {command} " in done.stdout
        help_of_it = ffrtmp(command, "--help")
        assert help_of_it.exit_code == 0
        assert "--json" in help_of_it.stdout


def test_the_version_is_printed(ffrtmp: Ffrtmp) -> None:
    assert ffrtmp("--version").stdout.startswith("ffrtmp 0.")
