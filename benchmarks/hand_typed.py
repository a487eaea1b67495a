"""An HLS ladder as somebody types it: ffmpeg commands, all else left to ffmpeg."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.sources import Clip
from ffrtmp_ray.media.audio_encoders import AUDIO_ENCODERS
from ffrtmp_ray.media.encode.size import fit
from ffrtmp_ray.media.encoders import Picture, encoder_for
from ffrtmp_ray.media.spec import Ladder


@dataclass(frozen=True)
class Typed:
    """The renditions of `ladder`, of `clip`, as CMAF segments with playlists."""

    ffmpeg: str
    clip: Clip
    ladder: Ladder

    def separate(self, folder: Path) -> list[list[str]]:
        """A command for each rung; the first one makes the sound of all, too. Makes the folders
        that they write to: only a muxer of many streams makes them by itself."""
        for name in (*(each.name for each in self.ladder.renditions), "sound"):
            (folder / name).mkdir()
        argvs = []
        for number, (width, height) in enumerate(self._sizes):
            argv = [*self._opened, "-map", "0:v", "-vf", f"scale={width}:{height}"]
            argv += self._picture(number)
            argv += self._segments(folder / self.ladder.renditions[number].name)
            if number == 0:
                argv += ["-map", "0:a", *self._sound, *self._segments(folder / "sound")]
            argvs.append(argv)
        return argvs

    def split(self, folder: Path) -> list[str]:
        """One command for all, each rung scaled from the source, and the sound once."""
        numbers = range(len(self._sizes))
        graph = [f"[0:v]split={len(self._sizes)}{''.join(f'[in{n}]' for n in numbers)}"]
        graph += [f"[in{n}]scale={w}:{h}[out{n}]" for n, (w, h) in enumerate(self._sizes)]
        argv = [*self._opened, "-filter_complex", ";".join(graph)]
        for number in numbers:
            argv += ["-map", f"[out{number}]", *self._picture(number, f":v:{number}")]
        argv += ["-map", "0:a", *self._sound]
        streams = [*(f"v:{n},agroup:a,name:{n}" for n in numbers), "a:0,agroup:a,name:sound"]
        argv += ["-var_stream_map", " ".join(streams), "-master_pl_name", "master.m3u8"]
        return [*argv, *self._segments(folder / "%v")]

    @property
    def _opened(self) -> list[str]:
        return [self.ffmpeg, "-nostdin", "-v", "error", "-i", str(self.clip.path)]

    @property
    def _sizes(self) -> list[tuple[int, int]]:
        size = (self.clip.width, self.clip.height)
        return [fit(*size, None, 0, rendition.height) for rendition in self.ladder.renditions]

    def _picture(self, number: int, stream: str = "") -> list[str]:
        """An encoder's options as the farm has them, but for the threads, which are ffmpeg's
        choice. `stream` is put behind each that is of a stream of its own."""
        rendition, (width, height) = self.ladder.renditions[number], self._sizes[number]
        encoder = encoder_for(rendition.codec, gpu=False)
        gop = round(self.clip.rate * self._segment_seconds)
        picture = Picture(width, height, 8, self.clip.rate, gop)
        options = [*encoder.arguments(rendition, picture, 1, None), *encoder.forced]
        options += ["-force_key_frames", f"expr:gte(t,n_forced*{self._segment_seconds:g})"]
        pairs = zip(options[::2], options[1::2], strict=True)
        kept = [(name + _of(name, stream), value) for name, value in pairs if name != "-threads"]
        return [word for pair in kept for word in pair]

    @property
    def _sound(self) -> list[str]:
        audio = self.ladder.audio
        if audio is None:
            return ["-c:a", "copy"]
        return ["-c:a", AUDIO_ENCODERS[audio.codec].name, "-b:a", str(audio.bitrate)]

    @property
    def _segment_seconds(self) -> float:
        return 4 if self.ladder.packaging is None else self.ladder.packaging.segment_seconds

    def _segments(self, folder: Path) -> list[str]:
        return [
            *("-f", "hls", "-hls_time", f"{self._segment_seconds:g}"),
            *("-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"),
            *("-hls_segment_filename", str(folder / "%d.m4s"), str(folder / "index.m3u8")),
        ]


def _of(option: str, stream: str) -> str:
    """What makes an option one of a stream: `-c:v` has half of it already."""
    return stream.removeprefix(":v") if option.endswith(":v") else stream
