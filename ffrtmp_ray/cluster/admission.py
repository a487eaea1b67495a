"""What can be known of a job before it is accepted: refused here, it costs nobody anything.

The worker checks again what it will touch; it has the last word.
"""

from __future__ import annotations

from ffrtmp_ray.media.plan import check_spec
from ffrtmp_ray.media.plan.outputs import output_kind
from ffrtmp_ray.media.presets import resolve
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.places import check_input_place, check_output_place, check_side_file


def admit(spec: JobSpec, settings: Settings) -> JobSpec:
    """The spec as it is accepted: its preset resolved to a ladder.

    Looks at the file system, so it is to be called in a thread. Raises CallerErrors:
    UnknownPreset, InvalidRequest, InputRefused, OutputRefused, OutputExists.
    """
    resolved = resolve(spec)
    check_spec(resolved)
    check_input_place(resolved.input, settings)
    if resolved.watermark is not None:
        check_side_file(resolved.watermark.image, settings, "watermark.image")
    if resolved.burn is not None and resolved.burn.file is not None:
        check_side_file(resolved.burn.file, settings, "burn.file")
    assert resolved.ladder is not None  # noqa: S101 - resolve() has put it in
    folder = output_kind(resolved.output, resolved.ladder, resolved.images).folder
    check_output_place(resolved.output, settings, folder=folder)
    return resolved
