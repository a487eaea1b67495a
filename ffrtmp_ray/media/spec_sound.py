"""What a user asks for of the sounds, beside their codec: which, and how loud. Data only."""

from __future__ import annotations

from pydantic import Field

from ffrtmp_ray.media.spec_base import SpecModel


class Loudness(SpecModel):
    """How loud a sound is made, by EBU R128 (ITU-R BS.1770).

    The defaults are those of R128, for television; streaming services play at -14 to -16 LUFS.
    """

    target: float = Field(default=-23, ge=-70, le=-5)
    """LUFS, over the whole sound."""
    true_peak: float = Field(default=-1, ge=-9, le=0)
    """dBTP that the encoder is given at most."""
