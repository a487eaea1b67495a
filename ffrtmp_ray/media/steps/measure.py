"""Score the renditions of one chunk against what their encoder was given."""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.media.assignment import Ended, Failed, Stopped, Succeeded
from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.plan.payloads import ChunkScores, EncodedFile, MeasurePayload
from ffrtmp_ray.media.quality.compare import Comparison
from ffrtmp_ray.media.quality.scores import Distribution, distribution
from ffrtmp_ray.media.spec import Measure
from ffrtmp_ray.media.steps import burn
from ffrtmp_ray.media.steps.compare import Compared, compare
from ffrtmp_ray.media.steps.step import Step


async def run(step: Step) -> Ended:
    """One rendition after another, which keeps to the memory of one comparison. What cannot be
    paired is not scored, and that is said: the encode itself has been found exact."""
    work = MeasurePayload.model_validate(step.assignment.payload)
    files = step.assignment.results[work.encode]["files"]
    log = await step.make_folder() / "scores.csv"
    scores: dict[str, dict[Measure, Distribution]] = {}
    warnings: list[str] = []
    async with step.open_input(work.input) as source:
        asked = [each for each in work.video.outputs if work.measures[each.rendition.name]]
        for number, output in enumerate(asked):
            name = output.rendition.name
            file = EncodedFile.model_validate(files[name])
            compared = await _compare(step, work, source.address, output, file, number, log)
            if isinstance(compared, Failed | Stopped):
                return compared
            if (wrong := _fault_of(_beside(work, output), file, compared)) is not None:
                warnings.append(f"the quality of {name} is not known: {wrong}")
            else:
                scores[name] = _distributions(_beside(work, output), compared)
    await step.in_thread(log.unlink)
    measured = ChunkScores(width=work.width, height=work.height, scores=scores)
    return Succeeded({"measured": measured.model_dump(mode="json"), "warnings": warnings})


async def _compare(
    step: Step,
    work: MeasurePayload,
    source: str,
    output: OutputWork,
    file: EncodedFile,
    number: int,
    log: Path,
) -> Compared | Failed | Stopped:
    size = {"width": work.width, "height": work.height, "via": ()}
    before, after = _beside(work, output)
    chunk = work.video.chunk if before or after else work.chunk
    alone = {"outputs": (output.model_copy(update=size),), "chunk": chunk}
    comparison = Comparison(
        source=source,
        video=burn.local(step, work.video.model_copy(update=alone)),
        encoded=str(step.toolbox.workspace.absolute(file.path)),
        measures=work.measures[output.rendition.name],
        before=before,
        after=after,
    )

    def fraction(frames: int) -> float:
        asked = sum(map(bool, work.measures.values()))
        return (number + min(frames / max(file.frames, 1), 1.0)) / asked

    return await compare(step, comparison, log, fraction)


def _beside(work: MeasurePayload, output: OutputWork) -> tuple[bool, bool]:
    """Whether one frame more of the source is before, and behind, the rendition's own. There is
    none where frames lie on a grid of their own."""
    return (work.before, work.after) if output.rendition.fps is None else (False, False)


def _fault_of(beside: tuple[bool, bool], file: EncodedFile, compared: Compared) -> str | None:
    """Why the frames cannot be paired by number; None when they can."""
    expected = file.frames + sum(beside)
    scored = min(len(scores) for scores in compared.scores.values())
    if compared.source_frames == scored == expected:
        return None
    return (
        f"the chunk has {expected} frames with those beside it, of which the source gave "
        f"{compared.source_frames} and {scored} could be compared"
    )


def _distributions(beside: tuple[bool, bool], compared: Compared) -> dict[Measure, Distribution]:
    """Without the frames beside the chunk, which are the next chunks'."""
    before, after = beside
    return {
        measure: distribution(measure, scores[before : len(scores) - after])
        for measure, scores in compared.scores.items()
    }
