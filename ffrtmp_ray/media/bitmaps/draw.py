"""A process that decodes subtitles that are pictures, and makes one film of them.

Started as `python -m ffrtmp_ray.media.bitmaps.draw WORK`, with a `DrawWork` as JSON, under the
limits of every process that reads a file. It says how far it is as ffmpeg does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import BitmapSubtitle, SubtitleSet

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.bitmaps.canvas import Size, placed, said_in, said_once
from ffrtmp_ray.media.bitmaps.image import Bitmap, Image, bitmap_of, image_of, united, within
from ffrtmp_ray.media.bitmaps.palette import PaletteReader
from ffrtmp_ray.media.bitmaps.timeline import Change, Shown, changes, frames
from ffrtmp_ray.media.bitmaps.times import times_of
from ffrtmp_ray.media.bitmaps.work import Drawn, DrawWork
from ffrtmp_ray.media.encode.work import Box
from ffrtmp_ray.media.inputs import DECODER_OPTIONS
from ffrtmp_ray.media.probe.open import (
    Refusal,
    opened,
    packets_of,
    read_only,
    subtitles_of,
    time_base_of,
)
from ffrtmp_ray.media.timing import nearest

MOST_PIXELS = 4096 * 4096
"""Of a screen: that of discs has an eighth."""
MOST_CHANGES = 100_000
"""Of what is shown: 14 a second for two hours; a film has about 3000."""
MOST_BYTES = 256 * 1024 * 1024
"""Of all that is shown, packed; a film has about 30 million."""
_BEHIND = 10
"""Seconds behind the picture to which packets are read, which may be a little out of order, and to
which the film lasts."""
_LONGEST_FRAME = 2**30
"""Ticks; MOV has 31 bits for them."""
_REPORT_SECONDS = 0.5


def main() -> None:
    work = DrawWork.model_validate_json(sys.argv[1])
    av.logging.set_level(av.logging.PANIC)
    Path(work.answer).write_text(_answer(work).model_dump_json(), encoding="utf-8")


def _answer(work: DrawWork) -> Drawn:
    try:
        return draw(work)
    except Refusal as refusal:
        return Drawn(failure=refusal.kind, reason=refusal.reason)
    except MemoryError:
        return Drawn(
            failure=FailureKind.OVER_LIMIT,
            reason="the subtitles need more memory than one process may have",
        )
    except av.FFmpegError as error:
        return Drawn(failure=FailureKind.BAD_INPUT, reason=f"the file is damaged: {error}")
    except Exception as error:  # noqa: BLE001  # told in words of ours, not by a trace
        reason = f"the subtitles are not understood: {error!r}"
        return Drawn(failure=FailureKind.CRASHED, reason=reason)


def draw(work: DrawWork) -> Drawn:
    """Make the film. Raises Refusal when there is no such track, nothing of it can be decoded, or
    it is more than is allowed."""
    with opened(work.address) as container:
        track = _Track(container, work)
        found = changes(track.shown(), work.picture_start, work.length, work.timescale)
    if track.unread and not track.read:
        raise Refusal(FailureKind.BAD_INPUT, "nothing of the subtitles can be decoded")
    boxes = [change.image.box for change in found if change.image is not None]
    if not boxes:
        return Drawn(unread=track.unread)
    box = united(boxes)
    _write(found, box, work)
    return Drawn(box=box, unread=track.unread)


class _Track:
    """The subtitles of an open source, packet by packet."""

    def __init__(self, container: InputContainer, work: DrawWork) -> None:
        stream = subtitles_of(container, work.stream)
        read_only(stream, container)
        self.read = 0
        """Packets that have been decoded."""
        self.unread = 0
        """Those that could not be."""
        self._work = work
        self._container = container
        self._stream = stream
        self._time_base = time_base_of(stream)
        self._palettes = PaletteReader()
        self._codec = stream.codec_context.codec.canonical_name
        self._screen = said_once(self._codec, stream.codec_context.extradata or b"")
        if work.forced:
            stream.codec_context.options = {**DECODER_OPTIONS, "forced_subs_only": "1"}

    def shown(self) -> Iterator[Shown[Image]]:
        """Raises Refusal when it comes to more than is allowed."""
        number = size = 0
        end = self._work.picture_start + self._work.length + _BEHIND
        for packet in self._packets():
            if packet.pts is not None and packet.pts * self._time_base > end:
                return
            each = self._decoded(packet)
            if each is None:
                continue
            number += 1
            size += 0 if each.image is None else len(each.image.packed)
            if number > MOST_CHANGES:
                raise _too_much(f"change more than {MOST_CHANGES} times")
            if size > MOST_BYTES:
                raise _too_much(f"are more than {MOST_BYTES} bytes of pictures")
            yield each

    def _packets(self) -> Iterator[Packet[SubtitleStream]]:
        """As many as there are before the file ends, or breaks off."""
        report = _Report(self._work)
        packets = packets_of(self._container, self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                return
            if packet is None:
                return
            if packet.size:
                if packet.pts is not None:
                    report.reached(packet.pts * self._time_base)
                yield packet

    def _decoded(self, packet: Packet[SubtitleStream]) -> Shown[Image] | None:
        screen = said_in(self._codec, bytes(packet))
        if screen is not None:
            self._screen = screen
        try:
            shown = self._stream.codec_context.decode2(packet)
        except MemoryError:  # libav's is one of the errors below, too
            raise
        except av.FFmpegError:
            self.unread += 1
            return None
        self.read += 1
        if shown is None or shown.pts is None:
            return None
        return self._timed(shown)

    def _timed(self, shown: SubtitleSet) -> Shown[Image]:
        start, end = times_of(shown, self._time_base)
        return Shown(start, end, self._image(self._bitmaps(shown)))

    def _bitmaps(self, shown: SubtitleSet) -> list[Bitmap]:
        if not len(shown):
            return []
        try:
            palettes = self._palettes.palettes(shown)
        except av.FFmpegError as error:
            raise _too_much("have more than a megabyte of pixels at once") from error
        return [
            bitmap_of(each.x, each.y, _size(each), bytes(cast(bytes, each.planes[0])), palette)
            for each, palette in zip(shown, palettes, strict=True)
            if isinstance(each, BitmapSubtitle) and each.planes
        ]

    def _image(self, bitmaps: list[Bitmap]) -> Image | None:
        picture = (self._work.width, self._work.height)
        screen = _at_least(self._screen or picture, bitmaps)
        if screen[0] * screen[1] > MOST_PIXELS:
            raise _too_much(f"are drawn for a screen of {screen[0]}x{screen[1]}")
        placement = placed(self._codec, screen, picture, self._work.aspect)
        return image_of(bitmaps, screen, placement, picture)


class _Report:
    """Says how far the reading is."""

    def __init__(self, work: DrawWork) -> None:
        self._start = work.picture_start
        self._said = time.monotonic()

    def reached(self, now: Fraction) -> None:
        if time.monotonic() - self._said < _REPORT_SECONDS:
            return
        self._said = time.monotonic()
        microseconds = max(round((now - self._start) * 1_000_000), 0)
        sys.stdout.write(f"out_time_us={microseconds}\nprogress=continue\n")
        sys.stdout.flush()


def _size(given: BitmapSubtitle) -> Size:
    """Raises Refusal when it is larger than any screen."""
    if given.width * given.height > MOST_PIXELS:
        raise _too_much(f"have a picture of {given.width}x{given.height}")
    return given.width, given.height


def _at_least(screen: Size, bitmaps: list[Bitmap]) -> Size:
    """Large enough for them: a track may say nothing of its screen, or less than it needs."""
    width = max((each.x + each.pixels.shape[1] for each in bitmaps), default=0)
    height = max((each.y + each.pixels.shape[0] for each in bitmaps), default=0)
    return max(screen[0], width), max(screen[1], height)


def _write(found: list[Change[Image]], box: Box, work: DrawWork) -> None:
    """PNG in MOV: nothing is lost, every frame can be read by itself, and times are any ticks."""
    options = {
        "use_editlist": "0",  # would end the last frame early, by its own coarser clock
        "video_track_timescale": str(work.timescale),
        "fflags": "+bitexact",
    }
    with av.open(work.film, "w", format="mov", options=options) as container:
        stream = container.add_stream("png", options={"compression_level": "1"})
        stream.width, stream.height, stream.pix_fmt = box.width, box.height, "rgba"
        time_base = Fraction(1, work.timescale)
        stream.time_base = stream.codec_context.time_base = time_base
        end = nearest((work.length + _BEHIND) * work.timescale)
        for change in frames(found, end, _LONGEST_FRAME):
            frame = av.VideoFrame.from_ndarray(within(change.image, box), format="rgba")
            frame.pts, frame.time_base = change.tick, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _too_much(what: str) -> Refusal:
    return Refusal(FailureKind.OVER_LIMIT, f"the subtitles {what}, which is more than is allowed")


if __name__ == "__main__":
    main()
