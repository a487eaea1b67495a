"""Jobs from an object store to an object store."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import cast

import obstore
import pytest
from obstore.store import ObjectStore, from_url

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.assignment import Succeeded
from ffrtmp_ray.media.spec import JobSpec, Ladder
from ffrtmp_ray.media.spec.packaging import Packaging
from ffrtmp_ray.media.tasks import TaskRun
from ffrtmp_ray.media.toolbox import Toolbox
from ffrtmp_ray.storage.object_origin import ObjectOrigin
from tests.clips import Clips
from tests.media.frames import assert_same_frames
from tests.media.pipeline import assignment, failure_of, rendition, run_job, tasks_of


@pytest.fixture
def bucket(request: pytest.FixtureRequest, bucket_of: Callable[[str], str]) -> str:
    """Of S3, where a test asks for no other kind."""
    return bucket_of(getattr(request, "param", "s3"))


@pytest.fixture
def store(bucket: str, toolbox: Toolbox, clips: Clips) -> ObjectStore:
    """Has a clip in it; jobs may read from it and write to it."""
    roots = {"input_roots": (bucket,), "output_roots": (bucket,)}
    toolbox.settings = toolbox.settings.model_copy(update=roots)
    store = from_url(bucket)
    obstore.put(store, "in/clip.mp4", clips("plain.mp4"))
    return store


def _job(bucket: str, output: str, *names: str, **fields: object) -> JobSpec:
    ladder = Ladder(renditions=tuple(rendition(name) for name in names or ("a",)))
    return JobSpec.model_validate(
        {
            "input": f"{bucket}/in/clip.mp4",
            "output": f"{bucket}/{output}",
            "ladder": ladder.model_dump(),
            **fields,
        }
    )


@pytest.mark.parametrize("bucket", ["s3", "gs", "az"], indirect=True)
async def test_a_film_goes_from_bucket_to_bucket(
    toolbox: Toolbox, bucket: str, store: ObjectStore, clips: Clips, tmp_path: Path
) -> None:
    outcome = await run_job(_job(bucket, "out/film.mp4", chunks=2), toolbox)
    (output,) = outcome.results["publish"]["outputs"]
    assert output["path"] == f"{bucket}/out/film.mp4"
    made = tmp_path / "film.mp4"
    made.write_bytes(bytes(obstore.get(store, "out/film.mp4").bytes()))
    assert made.stat().st_size == output["bytes"]
    assert_same_frames(clips("plain.mp4"), made)
    assert not (toolbox.workspace.root / "job").exists()


async def test_a_chunk_of_an_object_is_made_from_the_part_that_it_needs(
    toolbox: Toolbox,
    bucket: str,
    store: ObjectStore,
    ffmpeg: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large = tmp_path / "large.mov"
    noise = "testsrc2=size=640x360:rate=25:duration=8,noise=alls=40"
    argv = [ffmpeg, "-v", "error", "-f", "lavfi", "-i", noise, "-c:v", "mjpeg", "-q:v", "2"]
    await asyncio.to_thread(subprocess.run, [*argv, str(large)], check=True)
    obstore.put(store, "in/clip.mp4", large)
    tasks = await tasks_of(_job(bucket, "out/film.mp4", chunks=8), toolbox)
    asked: list[int] = []
    fetch = ObjectOrigin.fetch

    async def counted(origin: ObjectOrigin, start: int, end: int) -> bytes:
        asked.append(end - start)
        return await fetch(origin, start, end)

    monkeypatch.setattr(ObjectOrigin, "fetch", counted)
    ended = await TaskRun(assignment(tasks["encode3"], {}), toolbox).run()
    assert isinstance(ended, Succeeded)
    share = sum(asked) / large.stat().st_size
    assert 0.12 < share < 0.4, "an eighth, the index, and what ffmpeg reads ahead"


async def test_a_ladder_becomes_objects_below_one_key(
    toolbox: Toolbox, bucket: str, store: ObjectStore
) -> None:
    outcome = await run_job(_job(bucket, "out/film", "a", "b"), toolbox)
    paths = [output["path"] for output in outcome.results["publish"]["outputs"]]
    assert paths == [f"{bucket}/out/film/{name}.mp4" for name in ("a", "b")]
    found = [meta["path"] for page in obstore.list(store, prefix="out") for meta in page]
    assert found == ["out/film/a.mp4", "out/film/b.mp4"]


async def test_a_package_is_put_with_its_manifests(
    toolbox: Toolbox, bucket: str, store: ObjectStore
) -> None:
    job = _job(bucket, "out/film")
    packaged = job.ladder.model_copy(update={"packaging": Packaging(dash=True)})
    outcome = await run_job(job.model_copy(update={"ladder": packaged}), toolbox)
    outputs = outcome.results["publish"]["outputs"]
    assert outputs[0]["path"] == f"{bucket}/out/film/master.m3u8"
    found = {meta["path"] for page in obstore.list(store, prefix="out/film") for meta in page}
    playlist = bytes(obstore.get(store, "out/film/master.m3u8").bytes()).decode()
    named = [line for line in playlist.splitlines() if line.endswith(".m3u8")]
    assert named
    assert {f"out/film/{name}" for name in named} <= found
    manifest = obstore.get(store, "out/film/manifest.mpd", options={"head": True})
    assert manifest.attributes["Content-Type"] == "application/dash+xml"


async def test_of_two_jobs_with_one_target_one_is_published_whole(
    toolbox: Toolbox, bucket: str, store: ObjectStore
) -> None:
    """Each has renditions of other names, so that no two objects meet."""
    jobs = {"one": ("a", "b"), "two": ("c", "d")}
    runs = []
    for job, names in jobs.items():
        made = await run_job(_job(bucket, "out/film", *names), toolbox, up_to="finish", job=job)
        (task,) = cast(Succeeded, made.ended["finish"]).spawn
        runs.append(TaskRun(assignment(task, made.results, job=job), toolbox))
    ended = await asyncio.gather(*(run.run() for run in runs))
    (won,) = [job for job, end in zip(jobs, ended, strict=True) if isinstance(end, Succeeded)]
    (lost,) = [end for end in ended if not isinstance(end, Succeeded)]
    assert failure_of(lost)[0] is FailureKind.OUTPUT_EXISTS
    found = [meta["path"] for page in obstore.list(store, prefix="out") for meta in page]
    assert found == [f"out/film/{name}.mp4" for name in jobs[won]]


async def test_what_appears_at_the_target_meanwhile_is_left_alone(
    toolbox: Toolbox, bucket: str, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = obstore.put

    def late(to: ObjectStore, key: str, *rest: object, **options: object) -> object:
        if key == "out/film.mp4":
            put(store, key, b"another's")
        return put(to, key, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(obstore, "put", late)
    outcome = await run_job(_job(bucket, "out/film.mp4"), toolbox)
    kind, reason = failure_of(outcome.ended["publish"])
    assert kind is FailureKind.OUTPUT_EXISTS
    assert f"something appeared at {bucket}/out/film.mp4" in reason
    assert bytes(obstore.get(store, "out/film.mp4").bytes()) == b"another's"
