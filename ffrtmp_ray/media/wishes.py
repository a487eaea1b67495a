"""What a job asks of its ladder in ways that depend on the source, not on the preset. Pure."""

from __future__ import annotations

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.spec import Audio, JobSpec, Ladder, Subtitles
from ffrtmp_ray.media.spec.tracks import Loudness


def with_wishes(spec: JobSpec, ladder: Ladder) -> Ladder:
    """The ladder with what the job says of sounds and subtitles put in the place of its own.

    Raises InvalidRequest when it wants sounds of a ladder that leaves them out.
    """
    changes: dict[str, Audio | Subtitles] = {}
    if spec.sounds is not None or spec.loudness is not None:
        changes["audio"] = _audio(spec, ladder)
    if spec.subtitles is not None:
        changes["subtitles"] = Subtitles(tracks=spec.subtitles)
    return ladder.model_copy(update=changes) if changes else ladder


def _audio(spec: JobSpec, ladder: Ladder) -> Audio:
    if ladder.audio is None:
        raise InvalidRequest(
            "the ladder leaves the sound out",
            where="sounds" if spec.sounds is not None else "loudness",
            remedy="choose another ladder, or leave it out here too",
        )
    loudness = ladder.audio.loudness or Loudness()
    changes = {
        "tracks": spec.sounds,
        "loudness": spec.loudness and Loudness(target=spec.loudness, true_peak=loudness.true_peak),
    }
    given = {name: change for name, change in changes.items() if change is not None}
    return ladder.audio.model_copy(update=given)
