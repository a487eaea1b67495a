"""Which jobs are made at once, and by which command line: pure, so every source is made up."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ffrtmp_ray.media.encode.work import AudioWork
from ffrtmp_ray.media.package.direct import DirectSound, DirectWork, direct_argv
from ffrtmp_ray.media.plan import Plan, first_task
from ffrtmp_ray.media.plan.direct import direct
from ffrtmp_ray.media.plan.payloads import EncodePayload, PlanPayload
from ffrtmp_ray.media.probe.source import Source
from ffrtmp_ray.media.spec import Audio, Codec, JobSpec, Loudness, Verify
from ffrtmp_ray.settings import Settings
from tests.media.planning import (
    ladder_of,
    plan_of,
    rendition,
    sound,
    source_with,
    spec_of,
    task_of,
)
from tests.media.test_encode_argv import OPENING, work


def _planned(spec: JobSpec, source: Source, **more: Any) -> Plan:
    task = first_task(spec, Settings(encode_cpus=4))
    asked = PlanPayload.model_validate({**task.payload, **more})
    return direct(plan_of(spec, source), asked, source)


def _kinds(plan: Plan) -> list[str]:
    return [task.kind for task in plan.tasks]


def test_a_short_file_is_made_by_one_task() -> None:
    parts = plan_of(spec_of(), source_with())
    plan = _planned(spec_of(), source_with())
    (task,) = plan.tasks
    assert (task.name, task.kind, task.waits_for) == ("encode0", "encode", ())
    assert task.needs == task_of(parts, "encode0").needs
    assert task.weight == pytest.approx(sum(each.weight for each in parts.tasks))
    assert plan.warnings == parts.warnings


def test_that_task_knows_all_that_the_parts_would() -> None:
    parts = plan_of(spec_of(), source_with())
    (task,) = _planned(spec_of(), source_with()).tasks
    payload = EncodePayload.model_validate(task.payload)
    assert payload.direct is not None
    assert payload.direct.sound is not None
    assert payload.direct.sound.model_dump(mode="json") == task_of(parts, "audio0").payload
    assert payload.direct.finish.model_dump(mode="json") == task_of(parts, "finish").payload


def test_a_silent_file_is_made_by_one_task() -> None:
    plan = _planned(spec_of(), source_with(audio=()))
    assert _kinds(plan) == ["encode"]


def test_a_timeout_stays_the_tasks_own() -> None:
    (task,) = _planned(spec_of(task_timeout_seconds=90), source_with()).tasks
    assert task.timeout_seconds == 90


_TWO = ladder_of(rendition("a"), rendition("b"))
_CAPPED = rendition(codec=Codec.AV1, max_bitrate=1_000_000)
_LOUD = ladder_of(audio=Audio(loudness=Loudness(target=-23)))


@pytest.mark.parametrize(
    ("spec", "source"),
    [
        (spec_of("/out/folder", _TWO), source_with()),
        (spec_of("/out/a.mkv"), source_with()),
        (spec_of("/out/a.webm", ladder_of(rendition(codec=Codec.VP9))), source_with()),
        (spec_of(ladder=_LOUD), source_with()),
        (spec_of(ladder=ladder_of(_CAPPED)), source_with()),
        (spec_of(verify=Verify.FULL), source_with()),
        (spec_of(quality=("psnr",)), source_with()),
        (spec_of(), source_with(audio=(sound(start=Fraction(9)),))),
        (spec_of(), source_with(countable=False)),
        (spec_of(), source_with(end=Fraction(63), last=Fraction(62), frames=1800)),
        (spec_of(), source_with().model_copy(update={"container": "mpegts"})),
        (spec_of(), source_with().model_copy(update={"duration": Fraction(3600)})),
    ],
    ids=[
        *(
            "two renditions",
            "Matroska",
            "WebM",
            "loudness",
            "capped AV1",
            "full verification",
            "quality",
        ),
        *("late sound", "uncounted frames", "long", "no index", "long sound"),
    ],
)
def test_what_is_not_as_plain_is_made_in_parts(spec: JobSpec, source: Source) -> None:
    plan = _planned(spec, source)
    assert _kinds(plan)[-1] == "finish"
    assert plan == plan_of(spec, source)


@pytest.mark.parametrize("why", [{"apart": True}, {"inexact": "a chunk was not exact"}])
def test_what_has_failed_at_once_or_in_chunks_is_made_in_parts(why: dict[str, Any]) -> None:
    assert _kinds(_planned(spec_of(), source_with(), **why)) == ["encode", "audio", "finish"]


def test_one_command_line_makes_picture_and_sound_into_the_output() -> None:
    """In which a cap of the picture is none of the sound."""
    audio = AudioWork(stream=1, audio=Audio(bitrate=128_000), source_channels=2, source_rate=44_100)
    heard = DirectSound(audio, "eng", "Commentary", ("default",))
    direct_work = DirectWork(work(), heard, Path("/w/said"), Path("/out/.a.part"))
    assert direct_argv("ffmpeg", "/in/a.mp4", direct_work, cpus=2, gpu=None) == [
        *OPENING,
        *_in_turn("-threads 2 -reinit_filter:v 0 -drop_changed:a 1 -i /in/a.mp4"),
        *_in_turn("-protocol_whitelist file -f ffmetadata -i /w/said -filter_complex_threads 2"),
        "-filter_complex",
        "[0:0]setpts=PTS-STARTPTS,settb=1/12800,scale=1280:720,setsar=1,format=yuv420p[out0]",
        "-filter_complex",
        "[0:1]asetpts=PTS-(0)/TB,aresample=rematrix_maxval=1,"
        "aformat=sample_fmts=fltp:sample_rates=44100:channel_layouts=stereo,"
        "aresample=async=1:min_hard_comp=0.01:first_pts=0[sound]",
        *_in_turn("-map [out0] -fps_mode:v passthrough -enc_time_base:v 1/12800 -c:v libx264"),
        *_in_turn("-pix_fmt:v yuv420p -preset:v medium -crf:v 23"),
        *_in_turn("-maxrate:v 3000000 -bufsize:v 6000000 -g:v 250 -threads:v 2"),
        *_in_turn("-map [sound] -c:a aac -b:a 128000"),
        *_in_turn("-metadata:s:a:0 language=eng -metadata:s:a:0 title=Commentary"),
        *_in_turn("-disposition:a:0 default"),
        *_in_turn("-map_metadata:g 1:g -map_metadata:s -1 -map_chapters 1"),
        *_in_turn("-max_muxing_queue_size 1000000 -video_track_timescale 12800"),
        *_in_turn("-movflags +faststart -f mp4 /out/.a.part"),
    ]


def test_no_graph_feeds_another_beside_a_picture_where_each_would_wait_for_the_other() -> None:
    sound = AudioWork(stream=1, audio=Audio(), source_channels=2, source_rate=48_000)
    heard = DirectWork(work(), DirectSound(sound, None, None, ()), None, Path("/out/.a.part"))
    argv = direct_argv("ffmpeg", "/in/a.mp4", heard, cpus=2, gpu=None)
    graphs = [after for word, after in pairwise(argv) if word == "-filter_complex"]
    assert [graph.partition("]")[0] for graph in graphs] == ["[0:0", "[0:1"]


def _in_turn(words: str) -> list[str]:
    return words.split()
