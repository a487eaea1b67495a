"""What is told of a job's quality, from what its chunks have been measured to be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ffrtmp_ray.core.model import Document
from ffrtmp_ray.media.plan.payloads import ChunkScores
from ffrtmp_ray.media.quality.compare import vmaf_model
from ffrtmp_ray.media.quality.scores import pool
from ffrtmp_ray.media.spec import Measure
from ffrtmp_ray.views import QualityView

_DECIMALS: Mapping[Measure, int] = {Measure.VMAF: 3, Measure.PSNR: 3, Measure.SSIM: 5}


def quality_of(results: Iterable[Document]) -> list[QualityView]:
    """Of each rendition by each measure, from the results of a job's tasks; none where none of
    them has measured.

    A rendition is left out where one of its chunks could not be measured.
    """
    measured = (result["measured"] for result in results if "measured" in result)
    chunks = [ChunkScores.model_validate(each) for each in measured]
    named = chunks[0].scores if chunks else {}
    common = [name for name in named if all(name in chunk.scores for chunk in chunks)]
    return [view for name in common for view in _views(name, chunks)]


def _views(rendition: str, chunks: Sequence[ChunkScores]) -> list[QualityView]:
    return [_view(rendition, measure, chunks) for measure in chunks[0].scores[rendition]]


def _view(rendition: str, measure: Measure, chunks: Sequence[ChunkScores]) -> QualityView:
    pooled = pool(measure, (chunk.scores[rendition][measure] for chunk in chunks))
    width, height = chunks[0].width, chunks[0].height
    decimals = _DECIMALS[measure]
    return QualityView(
        rendition=rendition,
        measure=measure.value,
        model=vmaf_model(width, height) if measure is Measure.VMAF else None,
        compared_at=f"{width}x{height}",
        frames=pooled.frames,
        mean=round(pooled.mean, decimals),
        harmonic_mean=round(pooled.harmonic_mean, decimals),
        percentile_1=round(pooled.percentile_1, decimals),
    )
