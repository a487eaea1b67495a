"""`ffrtmp submit-many`: jobs of a file, one a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_gateway import FakeGateway
from typer.testing import Result

from ffrtmp_ray.errors import QueueFull

Ffrtmp = Callable[..., Result]


def lines(path: Path, *outputs: str, **fields: object) -> str:
    jobs = (
        {"input": "/in/a.mov", "output": output, "preset": "web"} | fields for output in outputs
    )
    path.write_text("\n".join(map(json.dumps, jobs)) + "\n")
    return str(path)


def test_every_line_is_a_job_in_one_batch(
    ffrtmp: Ffrtmp, gateway: FakeGateway, tmp_path: Path
) -> None:
    done = ffrtmp("submit-many", lines(tmp_path / "jobs.jsonl", "/out/a.mp4", "/out/b.mp4"))

    assert (done.exit_code, done.stdout) == (0, "job-1 pending\njob-2 pending\n")
    assert gateway.batches == [2]


def test_more_jobs_than_one_batch_takes_go_in_several(
    ffrtmp: Ffrtmp, gateway: FakeGateway, tmp_path: Path
) -> None:
    outputs = [f"/out/{number}.mp4" for number in range(1001)]

    done = ffrtmp("submit-many", lines(tmp_path / "jobs.jsonl", *outputs), "--json")

    assert done.exit_code == 0
    assert [job["output"] for job in json.loads(done.stdout)] == outputs
    assert gateway.batches == [1000, 1]


def test_a_line_that_is_refused_is_named_and_costs_the_others_nothing(
    ffrtmp: Ffrtmp, gateway: FakeGateway, tmp_path: Path
) -> None:
    file = tmp_path / "jobs.jsonl"
    text = Path(lines(file, "/out/a.mp4", "/out/a.mp4")).read_text()
    file.write_text(text + "\n" + json.dumps({"input": "/in/a.mov", "preset": "web"}))

    done = ffrtmp("submit-many", str(file))

    assert (done.exit_code, done.stdout) == (1, "job-1 pending\n")
    assert done.stderr.splitlines() == [
        "error: line 2, output: /out/a.mp4 exists (name one that does not)",
        "error: line 4, output: is required",
    ]


@pytest.mark.parametrize(("text", "said"), [("{", "line 1 is not JSON"), ("3", "line 1 is no job")])
def test_a_file_of_something_else_is_refused_before_anything_is_sent(
    ffrtmp: Ffrtmp, gateway: FakeGateway, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "jobs.jsonl"
    file.write_text(text)

    done = ffrtmp("submit-many", str(file))

    assert done.exit_code == 1
    assert said in done.stderr
    assert not gateway.batches


def test_a_full_queue_is_said_with_what_to_do(
    ffrtmp: Ffrtmp, gateway: FakeGateway, tmp_path: Path
) -> None:
    gateway.failing = QueueFull("1,000 jobs wait already", remedy="try again later")

    done = ffrtmp("submit", "/in/a.mov", "/out/a.mp4", "--preset", "web")

    assert done.exit_code == 1
    assert done.stderr == "error: 1,000 jobs wait already (try again later)\n"
