"""The ledger finds each thing that must not be, and nothing where all is well."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from ffrtmp_ray.core.model import JobState, Priority, Queue, TaskState
from ffrtmp_ray.views import AttemptView, JobDetail, TaskView, TransitionView
from tests.chaos.hand import Record
from tests.chaos.ledger import Facts, faults
from tests.chaos.work import Entry

SOURCE, OUTPUT = Path("/in.mp4"), Path("/out/1.mp4")
TIMES = [Fraction(0), Fraction(1, 25)]
PATH = ["pending", "queued", "processing", "completed"]


def attempt(number: int, outcome: str | None, worker: str = "w") -> AttemptView:
    ended = None if outcome is None else float(number)
    return AttemptView(
        id=f"job-encode0-1-{number}",
        worker=worker,
        placed_at=0,
        started_at=0,
        ended_at=ended,
        outcome=outcome,
    )


def job(
    attempts: list[AttemptView], path: list[str], sources: list[str] | None = None
) -> JobDetail:
    came_from = [None, *path[:-1]] if sources is None else [None, *sources]
    trail = [
        TransitionView(source=source, target=JobState(target), at=0, reason="", who="")
        for source, target in zip(came_from, path, strict=True)
    ]
    task = TaskView(
        id="job-encode0",
        name="encode0",
        kind="encode",
        state=TaskState.SUCCEEDED,
        progress=100,
        attempts=tuple(attempts),
    )
    return JobDetail(
        id="job",
        state=JobState(path[-1]),
        queue=Queue.DEFAULT,
        priority=Priority.LOW,
        owner="chaos",
        input=str(SOURCE),
        output=str(OUTPUT),
        submitted_at=0,
        progress=100,
        spec={},
        tasks=(task,),
        transitions=tuple(trail),
    )


def record(kind: str, what: str, **fields: object) -> Record:
    none: frozenset[str] = frozenset()
    made = Record(kind, what, at=0.5, alone=True, workers=none, attempts=none)
    return replace(made, **fields)  # type: ignore[arg-type]  # the caller names fields of Record


WELL = Facts(
    entries=[Entry("job", SOURCE, (OUTPUT,))],
    jobs=[job([attempt(1, "worker_lost", "struck"), attempt(2, "succeeded")], PATH)],
    records=[record("worker", "struck", workers=frozenset({"struck"}), seconds={"noticed": 0.1})],
    epoch=1,
    times={SOURCE: TIMES, OUTPUT: TIMES},
    leftovers=[],
    orphans=[],
)


def test_where_all_is_well_it_finds_nothing() -> None:
    assert faults(WELL) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"jobs": []}, "accepted and lost: job"),
        ({"entries": [], "times": {SOURCE: TIMES}}, "accepted twice: job"),
        ({"jobs": [job([attempt(1, "succeeded"), attempt(2, "succeeded")], PATH)]}, "2 times"),
        ({"jobs": [job([attempt(1, None), attempt(2, "succeeded")], PATH)]}, "never ended"),
        ({"jobs": [job([attempt(2, "succeeded")], PATH[:-1])]}, "job is processing"),
        (
            {"jobs": [job([attempt(2, "succeeded")], PATH, ["queued", "queued", "processing"])]},
            "gap",
        ),
        (
            {"jobs": [job([attempt(2, "succeeded")], ["pending", "completed", "completed"])]},
            "no legal path",
        ),
        ({"times": {SOURCE: TIMES}}, "output missing: /out/1.mp4"),
        ({"times": {SOURCE: TIMES, OUTPUT: TIMES[:1]}}, "1 frames of 2"),
        ({"times": {SOURCE: TIMES, OUTPUT: "moov"}}, "cannot be decoded: moov"),
        ({"times": {**WELL.times, Path("/out/2.mp4"): TIMES}}, "nobody wants"),
        ({"records": []}, "which nobody has struck"),
        ({"jobs": [job([attempt(1, "crashed"), attempt(2, "succeeded")], PATH)]}, "crashed"),
        ({"jobs": [job([attempt(1, "stalled"), attempt(2, "succeeded")], PATH)]}, "stalled"),
        ({"epoch": 2}, "killed 0 times and has begun 2 times"),
        ({"leftovers": [Path("/out/.1.mp4.part")]}, "file left: /out/.1.mp4.part"),
        ({"orphans": ["7 ffmpeg"]}, "process left: 7 ffmpeg"),
        (
            {"records": [replace(WELL.records[0], seconds={"noticed": None})]},
            "no recovery from worker struck: noticed",
        ),
    ],
)
def test_it_says_what_is_not_as_it_must_be(wrong: dict[str, object], said: str) -> None:
    found = faults(replace(WELL, **wrong))  # type: ignore[arg-type]  # fields of Facts
    assert any(said in fault for fault in found), found


def test_a_task_that_did_not_outlive_the_scheduler_is_found() -> None:
    killed = record("scheduler", "process 1", attempts=frozenset({"job-encode0-1-1"}))
    facts = replace(WELL, records=[killed, *WELL.records], epoch=2)
    assert faults(facts) == []  # it was lost after the next blow only
    facts = replace(WELL, records=[*WELL.records, killed], epoch=2)
    assert faults(facts) == ["task restarted by a new scheduler: job-encode0-1-1 (worker_lost)"]
