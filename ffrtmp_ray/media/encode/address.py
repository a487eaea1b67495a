"""The content address of a chunk: equal ones are one picture, encoded in one way. Pure."""

from __future__ import annotations

import hashlib
import json

from ffrtmp_ray.media.encode.tighten import RULE
from ffrtmp_ray.media.encode.video import video_argv
from ffrtmp_ray.media.encode.work import OutputWork, VideoWork
from ffrtmp_ray.media.encoders import encoder_for


def address_of(
    source: str, work: VideoWork, output: OutputWork, ffmpeg_version: str, *, gpu: bool
) -> str:
    """SHA-256, in hex, of all that says what one rendition of a chunk is.

    `source` is the fingerprint of what is decoded. The rest is the command line itself, without
    paths, so that an option that is added can never be forgotten here. The number of CPUs is left
    out: with x264 it changes some bits, but not of what they are an encode, nor whether they can
    be joined, and a chunk that was finished on four CPUs is not to be made again on two. How it is
    encoded again where it exceeds its bitrate follows from a rule, which is in it.
    """
    mark, burned = work.mark, work.burned
    nameless = {
        "mark": None if mark is None else mark.model_copy(update={"path": ""}),
        "burned": None if burned is None else burned.model_copy(update={"path": "", "fonts": ""}),
    }
    alone = work.model_copy(update={"outputs": (output,), **nameless})
    name = output.rendition.name
    encoder = encoder_for(output.rendition.codec, gpu)
    again = RULE if encoder.cap_is_goal and output.rendition.max_bitrate is not None else ()
    argv = video_argv("", "", alone, outputs={name: ""}, cpus=1, gpu=0 if gpu else None)
    read = [None if mark is None else mark.sha256, *([] if burned is None else [burned.sha256])]
    text = json.dumps([source, *read, ffmpeg_version, argv, *again])
    return hashlib.sha256(text.encode()).hexdigest()
