"""Sources, ladders and jobs that are made up, and the plans that are made of them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ffrtmp_ray.core.model import NewTask
from ffrtmp_ray.media.encode.work import Color
from ffrtmp_ray.media.plan import Plan, check_spec, first_task, make_plan
from ffrtmp_ray.media.plan.encodes import input_file
from ffrtmp_ray.media.plan.payloads import (
    FinishPayload,
    InputFile,
    PlanPayload,
)
from ffrtmp_ray.media.probe.source import AudioStream, Source, VideoStream
from ffrtmp_ray.media.spec import Codec, JobSpec, Ladder, Rendition
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.origin import Stamp

PQ = Color(primaries="bt2020", transfer="smpte2084", matrix="bt2020nc")


def video_stream(**fields: Any) -> VideoStream:
    known: dict[str, Any] = {
        "index": 0,
        "codec": "h264",
        "width": 1280,
        "height": 720,
        "pixel_format": "yuv420p",
        "bit_depth": 8,
        "time_base": Fraction(1, 30000),
        "frames": 300,
        "countable": True,
        "first": Fraction(2),
        "last": Fraction(2) + Fraction(299, 30),
        "end": Fraction(12),
    }
    return VideoStream(**(known | fields))


def sound(**fields: Any) -> AudioStream:
    known = {
        "index": 1,
        "codec": "aac",
        "channels": 2,
        "sample_rate": 48000,
        "start": Fraction(2),
        "language": "eng",
    }
    return AudioStream(**(known | fields))


def source_with(*, audio: tuple[AudioStream, ...] = (sound(),), **fields: Any) -> Source:
    subtitles = fields.pop("subtitles", 0)
    return Source(
        container="mov,mp4,m4a,3gp,3g2,mj2",
        bytes=1,
        duration=Fraction(10),
        video=video_stream(**fields),
        audio=audio,
        subtitles=subtitles,
    )


def ladder_of(*renditions: Rendition, **fields: Any) -> Ladder:
    return Ladder(renditions=renditions or (rendition(),), **fields)


def rendition(name: str = "hd", **fields: Any) -> Rendition:
    return Rendition(**({"name": name, "codec": Codec.H264, "crf": 23} | fields))


def spec_of(output: str = "/out/a.mp4", ladder: Ladder | None = None, **fields: Any) -> JobSpec:
    return JobSpec(input="/in/a.mp4", output=output, ladder=ladder or ladder_of(), **fields)


def plan_of(spec: JobSpec, source: Source, farm_cpus: int = 4) -> Plan:
    check_spec(spec)
    task = first_task(spec, Settings(encode_cpus=4))
    work = PlanPayload.model_validate(task.payload)
    return make_plan(work, source, file_of(source), spec.output, farm_cpus=farm_cpus)


def file_of(source: Source) -> InputFile:
    return input_file("/in/a", Stamp(1, "1"), source)


def task_of(plan: Plan, name: str) -> NewTask:
    return next(task for task in plan.tasks if task.name == name)


def sizes_of(plan: Plan) -> list[tuple[str, int, int]]:
    files = FinishPayload.model_validate(task_of(plan, "finish").payload).files
    return [(file.path, file.width, file.height) for file in files]
