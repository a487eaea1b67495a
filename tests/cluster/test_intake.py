"""How submissions are taken in: once, in their order, with what they depend on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ffrtmp_ray.cluster.commit_loop import Result
from ffrtmp_ray.cluster.intake import Intake
from ffrtmp_ray.cluster.life import Life
from ffrtmp_ray.cluster.submission import submission
from ffrtmp_ray.core.messages import CancelRequested, Event, JobSubmitted
from ffrtmp_ray.core.model import Job, JobState
from ffrtmp_ray.errors import Problem
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.store.memory import MemoryStore
from tests.cluster.farms import QUICK, NoMachines


@pytest.fixture
async def life(tmp_path: Path) -> AsyncIterator[Life]:
    settings = Settings(state_dir=tmp_path)
    store = MemoryStore()
    life = Life(settings, NoMachines(), store, store.take_epoch("test", "1"), store.load())
    await life.begin()
    course = asyncio.create_task(life.run())
    yield life
    course.cancel()


@pytest.fixture
def intake(life: Life) -> Intake:
    return Intake(life, last_order=40)


@pytest.fixture
def applied(life: Life, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """What has been asked of the engine, in its order."""
    events: list[Event] = []
    apply = life.apply

    async def noting(asked: Sequence[Event]) -> list[Result]:
        events.extend(asked)
        return await apply(asked)

    monkeypatch.setattr(life, "apply", noting)
    return events


def a_job(job_id: str, **fields: Any) -> JobSubmitted:
    spec = JobSpec(input="/in.mp4", output="/out.mp4", ladder=QUICK, **fields)
    return submission(job_id, spec, Settings())


def jobs(answers: Sequence[Job | Problem]) -> list[Job]:
    assert all(isinstance(answer, Job) for answer in answers), answers
    return [answer for answer in answers if isinstance(answer, Job)]


async def test_jobs_are_numbered_and_dated_in_the_order_of_their_submission(
    life: Life, intake: Intake
) -> None:
    before = life.clock.now()
    accepted = jobs(await intake.submit([a_job("b"), a_job("a")], again=False))
    later = jobs(await intake.submit([a_job("c")], again=False))

    assert [(job.id, job.order) for job in accepted + later] == [("b", 41), ("a", 42), ("c", 43)]
    assert all(before <= job.submitted_at <= life.clock.now() for job in accepted + later)


async def test_what_an_earlier_call_has_accepted_is_not_taken_twice(
    life: Life, intake: Intake, applied: list[Event]
) -> None:
    (first,) = jobs(await intake.submit([a_job("a")], again=False))

    both = jobs(await intake.submit([a_job("a"), a_job("b")], again=True))

    assert [job.id for job in both] == ["a", "b"]
    assert both[0] == first
    assert [event.job.id for event in applied if isinstance(event, JobSubmitted)] == ["a", "b"]


async def test_a_refused_job_costs_the_others_nothing(intake: Intake) -> None:
    await intake.submit([a_job("a")], again=False)

    new, taken, unknown, last = await intake.submit(
        [a_job("b"), a_job("a"), a_job("c", depends_on=("nosuch",)), a_job("d")], again=False
    )

    assert isinstance(taken, Problem)
    assert taken.code == "Conflict"
    assert isinstance(unknown, Problem)
    assert (unknown.code, unknown.where) == ("InvalidRequest", "depends_on")
    assert [job.id for job in jobs([new, last])] == ["b", "d"]


async def test_the_engine_is_told_how_those_have_ended_that_it_no_longer_holds(
    life: Life, intake: Intake, applied: list[Event]
) -> None:
    await intake.submit([a_job("ended"), a_job("waiting")], again=False)
    await life.apply([CancelRequested("ended", "test")])

    (answer,) = await intake.submit(
        [a_job("next", depends_on=("ended", "waiting", "ended"))], again=False
    )

    submitted = applied[-1]
    assert isinstance(submitted, JobSubmitted)
    assert submitted.job.depends_on == ("ended", "waiting")
    assert submitted.finished == {"ended": JobState.CANCELED}
    assert isinstance(answer, Problem)
    assert "ended, which it depends on, is canceled" in answer.message


async def test_one_that_ends_while_it_is_looked_for_is_looked_for_again(
    life: Life, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    await intake.submit([a_job("first")], again=False)
    apply = life.apply

    async def ending_first(events: Sequence[Event]) -> list[Result]:
        monkeypatch.setattr(life, "apply", apply)
        await apply([CancelRequested("first", "test")])
        return await apply(events)

    monkeypatch.setattr(life, "apply", ending_first)
    (answer,) = await intake.submit([a_job("next", depends_on=("first",))], again=False)

    assert isinstance(answer, Problem)
    assert "is canceled" in answer.message, "known, though the engine held it no longer"
