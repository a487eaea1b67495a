"""Find the crf by which a rendition scores what is wanted: encode samples, measure, try again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Ended, Failed, Stopped, Succeeded
from ffrtmp_ray.media.encode.video import video_argv
from ffrtmp_ray.media.encode.work import ChunkWork, OutputWork, VideoWork
from ffrtmp_ray.media.encoders import encoder_for
from ffrtmp_ray.media.plan.payloads import TunePayload
from ffrtmp_ray.media.plan.tunes import TUNE_CPUS, with_crf
from ffrtmp_ray.media.quality.compare import Comparison
from ffrtmp_ray.media.quality.search import MOST_PROBES, TOLERANCE, chosen, next_crf
from ffrtmp_ray.media.spec import Measure
from ffrtmp_ray.media.steps import burn
from ffrtmp_ray.media.steps.compare import compare
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.views import ProbeView, TunedView


@dataclass(frozen=True, slots=True)
class _Samples:
    """What is probed, and where."""

    payload: TunePayload
    source: str
    """By which ffmpeg opens it."""
    folder: Path


async def run(step: Step) -> Ended:
    payload = TunePayload.model_validate(step.assignment.payload)
    rendition = payload.video.outputs[0].rendition
    if (target := rendition.target_vmaf) is None:
        raise ValueError(f"{rendition.name} has no target")
    scale = encoder_for(rendition.codec, gpu=False).crf_range
    probes: dict[float, float] = {}
    async with step.open_input(payload.input) as source:
        samples = _Samples(payload, source.address, await step.make_folder())
        while (crf := next_crf(target, probes, scale)) is not None:
            vmaf = await _probe(step, samples, crf, len(probes))
            if not isinstance(vmaf, float):
                return vmaf
            probes[crf] = vmaf
    crf = chosen(target, probes, scale)
    view = TunedView(
        rendition=rendition.name,
        target_vmaf=target,
        crf=crf,
        vmaf=round(probes[crf], 3),
        samples=len(payload.samples),
        probes=tuple(ProbeView(crf=each, vmaf=round(vmaf, 3)) for each, vmaf in probes.items()),
    )
    return Succeeded({"tuned": view.model_dump(mode="json"), "warnings": _warnings(view)})


async def _probe(step: Step, samples: _Samples, crf: float, done: int) -> float | Failed | Stopped:
    """The mean VMAF of all frames of the samples, encoded by that crf."""
    scores: list[float] = []
    chunks = samples.payload.samples
    for number, chunk in enumerate(chunks):
        begun = (done + number / len(chunks)) / MOST_PROBES
        found = await _score(step, samples, crf, chunk, begun)
        if not isinstance(found, list):
            return found
        scores += found
    return fmean(scores)


async def _score(
    step: Step, samples: _Samples, crf: float, chunk: ChunkWork, begun: float
) -> list[float] | Failed | Stopped:
    """VMAF of each frame of one sample. `begun` is how far the step is: a sample is a moment's
    work."""
    (output,) = samples.payload.video.outputs
    rendition = with_crf(output.rendition, crf)
    sample = samples.folder / "sample.mp4"

    def video(output: OutputWork) -> VideoWork:
        alone = {"chunk": chunk, "outputs": (output.model_copy(update={"rendition": rendition}),)}
        return burn.local(step, samples.payload.video.model_copy(update=alone))

    argv = video_argv(
        step.toolbox.ffmpeg,
        samples.source,
        video(output),
        outputs={rendition.name: str(sample)},
        cpus=TUNE_CPUS,
        gpu=None,
    )
    fonts = await burn.fonts_environment(step, samples.payload.video)
    if (ended := await step.ffmpeg(argv, lambda _: begun, fonts)) is not None:
        return ended
    size = {"width": samples.payload.width, "height": samples.payload.height, "via": ()}
    comparison = Comparison(
        source=samples.source,
        video=video(output.model_copy(update=size)),
        encoded=str(sample),
        measures=(Measure.VMAF,),
    )
    compared = await compare(step, comparison, samples.folder / "scores.csv", lambda _: begun)
    if isinstance(compared, Failed | Stopped):
        return compared
    found = list(compared.scores[Measure.VMAF])
    if len(found) != compared.source_frames or not found:
        reason = f"of {compared.source_frames} frames of a sample {len(found)} could be compared"
        return Failed(Failure(FailureKind.INEXACT, reason))
    return found


def _warnings(view: TunedView) -> list[str]:
    if view.vmaf >= view.target_vmaf - TOLERANCE:
        return []
    best = max(probe.vmaf for probe in view.probes)
    return [
        f"{view.rendition} cannot have a VMAF of {view.target_vmaf:g}: the best that was found is "
        f"{best:g}, and crf {view.crf:g} comes to {view.vmaf:g}"
    ]
