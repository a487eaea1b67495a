"""What the user of a job may not expect of its outputs, each as a sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ffrtmp_ray.media.plan.measures import measure_warnings
from ffrtmp_ray.media.plan.needs import gpu_makes
from ffrtmp_ray.media.plan.outputs import OutputKind
from ffrtmp_ray.media.plan.payloads import PlanPayload, burned_stream
from ffrtmp_ray.media.plan.renditions import Chosen
from ffrtmp_ray.media.plan.sounds import ChosenSound
from ffrtmp_ray.media.plan.texts import text_warnings
from ffrtmp_ray.media.plan.tracks import missing
from ffrtmp_ray.media.probe.source import AudioStream, Source
from ffrtmp_ray.media.spec import GpuUse, Tracks


def warnings(
    work: PlanPayload,
    source: Source,
    kind: OutputKind,
    chosen: Chosen,
    sounds: Sequence[ChosenSound],
) -> Iterator[str]:
    if work.inexact is not None:
        yield f"inexact: {work.inexact}; so the picture was encoded again in one piece"
    yield from _of_picture(work, source, chosen)
    yield from of_sound(work, source.audio, sounds)
    yield from text_warnings(work.ladder, source, kind, burned_stream(work))


def _of_picture(work: PlanPayload, source: Source, chosen: Chosen) -> Iterator[str]:
    video = source.video
    for rendition in chosen.left_out:
        yield (
            f"{rendition.name} is left out: the source has {video.shown_height} lines, "
            "and a picture is never enlarged"
        )
    if video.headless:
        yield (
            f"the source begins between keyframes: its first {video.headless} frames need what is "
            "missing before them, and are left out"
        )
    if video.dynamic_hdr:
        yield f"{' and '.join(video.dynamic_hdr)} metadata is dropped"
    yield from measure_warnings(work, video, chosen.outputs)
    mapped = [output.rendition.name for output in chosen.outputs if output.tone_mapped]
    if mapped:
        yield f"HDR is tone-mapped to SDR in {', '.join(mapped)}"
    if work.gpu is GpuUse.PREFER and not gpu_makes(chosen.outputs):
        yield "no GPU makes these renditions: they are encoded on CPUs"


def of_sound(
    work: PlanPayload, there: Sequence[AudioStream], sounds: Sequence[ChosenSound]
) -> Iterator[str]:
    """`there` are the source's, `sounds` those that are taken."""
    if work.ladder.audio is None:
        return
    if not sounds:
        yield "the source has no sound that can be used"
    elif copied := [sound for sound in sounds if sound.copy_of is not None]:
        yield from _of_copies(copied, trimmed=work.trim is not None)
    elif sounds[0].audio.codec is not work.ladder.audio.codec:
        asked = work.ladder.audio.codec
        yield f"the sound is made as {sounds[0].audio.codec}: such an output holds no {asked}"
    if sounds and work.ladder.audio.tracks is Tracks.FIRST and len(there) > 1:
        yield f"of {len(there)} sound streams the first is taken"
    if lacking := missing(work.ladder.audio.tracks, there):
        yield f"the source has no sound in {' or '.join(lacking)}"


def _of_copies(copied: Sequence[ChosenSound], *, trimmed: bool) -> Iterator[str]:
    """That these sounds are no encodes."""
    yield f"copied from the source, and not encoded: {', '.join(each.codec for each in copied)}"
    if trimmed:
        yield "copied sound is cut between its packets: it may end up to one of them after the trim"
