"""What a job asks of its ladder in ways that depend on the source, not on the preset. Pure."""

from __future__ import annotations

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.spec import Audio, Copying, JobSpec, Ladder, Subtitles
from ffrtmp_ray.media.spec.tracks import Loudness


def with_wishes(spec: JobSpec, ladder: Ladder) -> Ladder:
    """The ladder with what the job says of sounds and subtitles put in the place of its own.

    Raises InvalidRequest when it wants sounds of a ladder that leaves them out.
    """
    changes: dict[str, Audio | Subtitles] = {}
    if any(wish is not None for wish in (spec.sounds, spec.loudness, spec.sound_copying)):
        changes["audio"] = _audio(spec, ladder)
    if spec.subtitles is not None or spec.webvtt:
        changes["subtitles"] = _subtitles(spec, ladder.subtitles or Subtitles())
    return ladder.model_copy(update=changes) if changes else ladder


def _audio(spec: JobSpec, ladder: Ladder) -> Audio:
    if ladder.audio is None:
        wishes = ("sounds", "loudness", "sound_copying")
        raise InvalidRequest(
            "the ladder leaves the sound out",
            where=next(name for name in wishes if getattr(spec, name) is not None),
            remedy="choose another ladder, or leave it out here too",
        )
    copying = spec.sound_copying or ladder.audio.copying
    if spec.loudness is not None and copying is Copying.ALWAYS:
        raise InvalidRequest(
            "a sound that is always copied is as loud as it is",
            where="loudness",
            remedy="leave it out, or have the sound encoded: set `sound_copying` to never",
        )
    loudness = ladder.audio.loudness or Loudness()
    changes: dict[str, object] = {
        "tracks": spec.sounds,
        "copying": spec.sound_copying,
        "loudness": spec.loudness and Loudness(target=spec.loudness, true_peak=loudness.true_peak),
    }
    given = {name: change for name, change in changes.items() if change is not None}
    if copying is Copying.ALWAYS:  # what the ladder would have made of it
        given |= {"channels": None, "loudness": None}
    return ladder.audio.model_copy(update=given)


def _subtitles(spec: JobSpec, subtitles: Subtitles) -> Subtitles:
    tracks = subtitles.tracks if spec.subtitles is None else spec.subtitles
    return Subtitles(tracks=tracks, webvtt=spec.webvtt or subtitles.webvtt)
