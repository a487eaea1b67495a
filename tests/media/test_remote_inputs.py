"""Jobs whose input is elsewhere: whole, in chunks, and when what is elsewhere goes wrong."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_server import Site, web_server

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.assignment import Succeeded
from ffrtmp_ray.media.spec import JobSpec, Ladder
from ffrtmp_ray.media.steps import step
from ffrtmp_ray.media.tasks import TaskRun
from ffrtmp_ray.media.toolbox import Toolbox
from ffrtmp_ray.storage import http_origin
from ffrtmp_ray.storage.uploads import Uploads
from tests.clips import Clips
from tests.media.exact import frames_of
from tests.media.pipeline import (
    assert_nothing_left,
    assert_published,
    assignment,
    encodes_of,
    failure_of,
    rendition,
    run_job,
    tasks_of,
)


@pytest.fixture
def site(clips: Clips, toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    # a proxy that the environment names must not come between ffmpeg and its worker
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr(http_origin, "PAUSES", (0.0, 0.0))
    with web_server() as site:
        site.files["/clip.mp4"] = clips("plain.mp4")
        _allow(toolbox, "127.0.0.1")
        yield site


def _allow(toolbox: Toolbox, *hosts: str) -> None:
    toolbox.settings = toolbox.settings.model_copy(update={"private_hosts": hosts})


def _job(url: str, output: Path, **fields: object) -> JobSpec:
    ladder = Ladder(renditions=(rendition(crf=0),))
    return JobSpec.model_validate(
        {"input": url, "output": str(output), "ladder": ladder.model_dump(), **fields}
    )


async def test_a_file_elsewhere_makes_the_same_output_as_one_that_is_here(
    toolbox: Toolbox, site: Site, clips: Clips, out: Path
) -> None:
    toolbox.chunks._max_bytes = 0  # else the second would take the chunks of the first
    here, there = out / "here.mp4", out / "there.mp4"
    await run_job(_job(str(clips("plain.mp4")), here, chunks=2), toolbox)
    outcome = await run_job(_job(site.url("/clip.mp4"), there, chunks=2), toolbox)
    assert_published(outcome, there)
    assert len(encodes_of(outcome)) == 2
    assert outcome.replans == []
    assert here.read_bytes() == there.read_bytes()
    assert_nothing_left(toolbox, out, here, there)


async def test_a_chunk_is_made_from_the_part_of_the_file_that_it_needs(
    toolbox: Toolbox, site: Site, out: Path, ffmpeg: str, tmp_path: Path
) -> None:
    site.files["/large.mov"] = large = tmp_path / "large.mov"
    noise = "testsrc2=size=320x180:rate=25:duration=12,noise=alls=40"
    argv = [ffmpeg, "-v", "error", "-f", "lavfi", "-i", noise, "-c:v", "mjpeg", "-q:v", "2"]
    await asyncio.to_thread(subprocess.run, [*argv, str(large)], check=True)
    size = large.stat().st_size
    tasks = await tasks_of(_job(site.url("/large.mov"), out / "a.mp4", chunks=12), toolbox)
    site.sent = 0
    ended = await TaskRun(assignment(tasks["encode3"], {}), toolbox).run()
    assert isinstance(ended, Succeeded)
    assert 0.1 < site.sent / size < 0.7, "a twelfth, what lies before it, and what was under way"


async def test_connections_that_break_are_not_seen_in_the_output(
    toolbox: Toolbox, site: Site, clips: Clips, out: Path
) -> None:
    site.break_after = [5_000, 20_000, 1, 30_000, 2_000]
    target = out / "a.mp4"
    outcome = await run_job(_job(site.url("/clip.mp4"), target), toolbox)
    assert_published(outcome, target)
    assert site.break_after == []
    assert [f for _, f in frames_of(target)] == [f for _, f in frames_of(clips("plain.mp4"))]


async def test_a_server_that_fails_under_an_encode_fails_it_as_a_machine_does(
    toolbox: Toolbox, site: Site, out: Path
) -> None:
    task = (await tasks_of(_job(site.url("/clip.mp4"), out / "a.mp4"), toolbox))["encode0"]
    site.break_after = [10, 0, 0, 0, 0, 0]
    kind, reason = failure_of(await TaskRun(assignment(task, {}), toolbox).run())
    assert kind is FailureKind.CRASHED, "it is tried again, and costs the input nothing"
    assert "could not be read" in reason


async def test_a_file_that_is_changed_under_a_job_fails_it(
    toolbox: Toolbox, site: Site, out: Path
) -> None:
    tasks = await tasks_of(_job(site.url("/clip.mp4"), out / "a.mp4"), toolbox)
    site.etag = '"2"'
    for name in ("encode0", "audio0"):
        kind, reason = failure_of(await TaskRun(assignment(tasks[name], {}), toolbox).run())
        assert kind is FailureKind.BAD_INPUT
        assert "was changed while the job ran" in reason


async def test_what_is_not_there_fails_the_plan_and_says_what_the_server_says(
    toolbox: Toolbox, site: Site, out: Path
) -> None:
    outcome = await run_job(_job(site.url("/none.mp4"), out / "a.mp4"), toolbox)
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.BAD_INPUT
    assert "/none.mp4 cannot be read: the server answers 404" in reason


async def test_a_server_without_parts_has_its_file_fetched_once(
    toolbox: Toolbox, site: Site, out: Path
) -> None:
    site.ranges = False
    outcome = await run_job(_job(site.url("/clip.mp4"), out / "a.mp4", chunks=2), toolbox)
    assert_published(outcome, out / "a.mp4")
    assert len(site.asked) == 2, "once to see what there is, once to fetch it"
    assert_nothing_left(toolbox, out, out / "a.mp4")


async def test_a_server_that_breaks_off_a_file_that_is_fetched_whole_is_tried_again(
    toolbox: Toolbox, site: Site, out: Path
) -> None:
    site.ranges, site.break_after = False, [1000, 1000]
    outcome = await run_job(_job(site.url("/clip.mp4"), out / "a.mp4"), toolbox)
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.CRASHED, "as a machine's fault, which is tried again"
    assert "clip.mp4 could not be read" in reason
    assert_nothing_left(toolbox, out)


async def test_a_job_that_is_planned_twice_has_its_file_fetched_once(
    toolbox: Toolbox, site: Site, out: Path
) -> None:
    """Its crf is to be found first, so that another plan follows."""
    site.ranges = False
    ladder = Ladder(renditions=(rendition(crf=None, target_vmaf=85),))
    job = _job(site.url("/clip.mp4"), out / "a.mp4", ladder=ladder.model_dump())
    tasks = await tasks_of(job, toolbox)
    again = assignment(tasks["plan-tuned"], {"tune0": {}})
    assert isinstance(await TaskRun(again, toolbox).run(), Succeeded)
    assert len(site.asked) == 2, "once to see what there is, once to fetch it"
    toolbox.workspace.absolute(
        tasks["tune0"].payload["input"]["place"].partition("://")[2]
    ).unlink()
    assert isinstance(await TaskRun(again, toolbox).run(), Succeeded)
    assert len(site.asked) == 4, "what is gone is fetched again"


async def test_a_disk_that_fills_up_while_a_file_is_fetched_ends_the_task(
    toolbox: Toolbox, site: Site, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.ranges, site.hold = False, threading.Event()
    monkeypatch.setattr(step, "_LOOK_SECONDS", 0.01)
    toolbox.settings = toolbox.settings.model_copy(update={"min_free_bytes": 1 << 60})
    outcome = await run_job(_job(site.url("/clip.mp4"), out / "a.mp4"), toolbox)
    site.hold.set()
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.OUT_OF_DISK
    assert "the disk of the workspace is full" in reason
    assert_nothing_left(toolbox, out)


async def test_what_is_fetched_whole_has_a_largest_size(
    toolbox: Toolbox, site: Site, out: Path
) -> None:
    site.ranges = False
    toolbox.settings = toolbox.settings.model_copy(update={"fetch_max_bytes": 1000})
    outcome = await run_job(_job(site.url("/clip.mp4"), out / "a.mp4"), toolbox)
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.BAD_INPUT
    assert "more than 1000 bytes" in reason
    assert_nothing_left(toolbox, out)


async def test_what_is_fetched_whole_must_come_in_time(
    toolbox: Toolbox, site: Site, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.ranges = False
    monkeypatch.setattr("ffrtmp_ray.storage.open_input._SLOW_SECONDS", -1.0)
    outcome = await run_job(_job(site.url("/clip.mp4"), out / "a.mp4"), toolbox)
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.CRASHED
    assert "clip.mp4 comes too slowly" in reason
    assert_nothing_left(toolbox, out)


@pytest.mark.parametrize("way", ["straight", "named", "redirected"])
async def test_a_job_reads_nothing_inside_the_network(
    way: str, toolbox: Toolbox, site: Site, out: Path
) -> None:
    site.redirects["/open"] = site.url("/clip.mp4")
    url, allowed = {
        "straight": (site.url("/clip.mp4"), ["localhost"]),
        "named": (site.url("/clip.mp4", host="localhost"), []),
        "redirected": (site.url("/open", host="localhost"), ["localhost"]),
    }[way]
    _allow(toolbox, *allowed)
    outcome = await run_job(_job(url, out / "a.mp4"), toolbox)
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.BAD_INPUT
    assert "127.0.0.1" in reason
    assert "is no public address" in reason
    assert [path for path, _ in site.asked] == (["/open"] if way == "redirected" else [])


async def test_a_playlist_that_points_elsewhere_is_refused(
    toolbox: Toolbox, site: Site, out: Path, tmp_path: Path
) -> None:
    site.files["/list.m3u8"] = tmp_path / "list.m3u8"
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXTINF:2,", site.url("/secret.ts")]
    site.files["/list.m3u8"].write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))
    outcome = await run_job(_job(site.url("/list.m3u8"), out / "a.mp4"), toolbox)
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.BAD_INPUT
    assert "list.m3u8 is not a media file of a kind that is read here" in reason
    assert {path for path, _ in site.asked} == {"/list.m3u8"}


async def test_what_was_uploaded_is_an_input(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    uploads = Uploads(toolbox.workspace.root, max_age_seconds=100)
    with uploads.receive("clip.mp4", 0, clips("plain.mp4").stat().st_size) as arriving:
        arriving.write(clips("plain.mp4").read_bytes())
        arriving.complete()
    outcome = await run_job(_job("upload://clip.mp4", out / "a.mp4", chunks=2), toolbox)
    assert_published(outcome, out / "a.mp4")
    assert uploads.find("clip.mp4").complete, "it stays for other jobs"


@pytest.mark.parametrize(
    ("name", "said"),
    [("none.mp4", "there is no complete upload"), ("../clip", "is no name for an upload")],
)
async def test_what_was_not_uploaded_is_refused(
    name: str, said: str, toolbox: Toolbox, out: Path
) -> None:
    outcome = await run_job(_job(f"upload://{name}", out / "a.mp4"), toolbox)
    assert said in failure_of(outcome.last)[1]
