"""Small clips made by ffmpeg itself, each awkward in one way. `conftest.clips` keeps them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

SECONDS = 2
PICTURE = f"testsrc2=size=320x180:rate=25:duration={SECONDS}"
LONG_SECONDS = 4
LONG = f"testsrc2=size=320x180:rate=25:duration={LONG_SECONDS}"
SOUND = f"sine=frequency=440:sample_rate=48000:duration={SECONDS}"


def _lavfi(*graphs: str) -> list[str]:
    return [word for graph in graphs for word in ("-f", "lavfi", "-i", graph)]


X264 = ["-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-pix_fmt", "yuv420p"]
AAC = ["-c:a", "aac"]


@dataclass(frozen=True)
class Recipe:
    """An argument `@plain.mp4` stands for the path of that clip."""

    why: str
    arguments: tuple[str | bytes, ...]


def _recipe(why: str, *arguments: str | bytes) -> Recipe:
    return Recipe(why, arguments)


RECIPES: dict[str, Recipe] = {
    "plain.mp4": _recipe("picture and sound", *_lavfi(PICTURE, SOUND), *X264, *AAC),
    "silent.mp4": _recipe("no sound", *_lavfi(PICTURE), *X264),
    "sound.m4a": _recipe("no picture", *_lavfi(SOUND), *AAC),
    "odd.mkv": _recipe(
        "odd width and height",
        *_lavfi("testsrc2=size=320x180:rate=25:duration=1"),
        *("-vf", "format=yuv444p,scale=321:181", "-c:v", "ffv1"),
    ),
    "tenbit.mkv": _recipe(
        "10 bits",
        *_lavfi(PICTURE),
        *("-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none"),
    ),
    "hdr.mkv": _recipe(
        "light coded by PQ",
        *_lavfi(f"{PICTURE},setparams=color_primaries=bt2020:color_trc=smpte2084:range=tv"),
        *("-vf", "scale=out_color_matrix=bt2020nc", "-c:v", "libx265", "-pix_fmt", "yuv420p10le"),
        *("-x265-params", "log-level=none"),
    ),
    "rgb.gif": _recipe("a palette", *_lavfi("testsrc2=size=64x64:rate=25:duration=0.4")),
    "animated.png": _recipe(
        "an animation", *_lavfi("testsrc2=size=64x64:rate=10:duration=1"), "-f", "apng"
    ),
    "identity.mp4": _recipe(
        "says of its YUV that it is RGB",
        *("-i", "@silent.mp4", "-c", "copy", "-bsf:v", "h264_metadata=matrix_coefficients=0"),
    ),
    "pal.mp4": _recipe(
        "colours of European television",
        *("-i", "@silent.mp4", "-c", "copy", "-bsf:v"),
        "h264_metadata=colour_primaries=5:transfer_characteristics=5:matrix_coefficients=5",
    ),
    "ictcp.mp4": _recipe(
        "colours that are not handled",
        *("-i", "@silent.mp4", "-c", "copy", "-bsf:v", "h264_metadata=matrix_coefficients=14"),
    ),
    "rotated.mp4": _recipe(
        "filmed upright", "-display_rotation", "90", "-i", "@plain.mp4", "-c", "copy"
    ),
    "vfr.mp4": _recipe(
        "variable frame rate",
        *_lavfi(PICTURE, SOUND),
        *("-vf", "select='not(mod(n,3))+lt(n,20)'", "-fps_mode", "passthrough", *X264, *AAC),
    ),
    "telephone.mp4": _recipe("sound of 8 kHz", *_lavfi(PICTURE, SOUND), *X264, *AAC, "-ar", "8000"),
    "late-sound.mp4": _recipe(
        "the sound starts half a second late",
        *_lavfi(PICTURE),
        *("-itsoffset", "0.5", *_lavfi(SOUND), "-map", "0:v", "-map", "1:a", *X264, *AAC),
    ),
    "late-picture.mkv": _recipe(
        "the picture starts half a second late",
        *("-itsoffset", "0.5", *_lavfi(PICTURE), *_lavfi(SOUND)),
        *("-map", "0:v", "-map", "1:a", *X264, *AAC),
    ),
    "stream.ts": _recipe("a transport stream starts late", *_lavfi(PICTURE, SOUND), *X264, *AAC),
    "anamorphic.mp4": _recipe(
        "pixels that are not square", *_lavfi(PICTURE), "-vf", "setsar=4/3", *X264
    ),
    "cover.mp4": _recipe(
        "a cover picture, larger than the video and before it",
        *("-i", "@plain.mp4", "-i", "@still.png", "-map", "1:v", "-map", "0", "-c", "copy"),
        *("-disposition:v:0", "attached_pic"),
    ),
    "cover.m4a": _recipe(
        "sound with a cover picture",
        *("-i", "@sound.m4a", "-i", "@still.png", "-map", "0", "-map", "1:v", "-c", "copy"),
        *("-disposition:v", "attached_pic", "-f", "mp4"),
    ),
    "latin1.mkv": _recipe(
        "a title that is not UTF-8", "-i", "@plain.mp4", "-c", "copy", "-metadata", b"title=caf\xe9"
    ),
    "two-sounds.mkv": _recipe(
        "two languages",
        *("-i", "@plain.mp4", *_lavfi(SOUND), "-map", "0", "-map", "1:a", "-c:v", "copy", *AAC),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"),
    ),
    "edited.mp4": _recipe(
        "an edit list that starts between keyframes",
        *("-ss", "0.5", "-i", "@plain.mp4", "-c", "copy"),
    ),
    "interlaced.ts": _recipe(
        "fields",
        *_lavfi(f"testsrc2=size=320x180:rate=50:duration={SECONDS}"),
        *("-vf", "tinterlace=interleave_top,setfield=tff", "-c:v", "mpeg2video"),
        *("-flags", "+ilme+ildct", "-b:v", "2M"),
    ),
    "open-gop.mp4": _recipe(
        "frames shown before the keyframe that they need",
        *_lavfi(LONG),
        *("-c:v", "libx264", "-preset", "fast", "-pix_fmt", "yuv420p"),
        *("-x264-params", "open-gop=1:keyint=12:bframes=3:b-adapt=0:scenecut=0"),
    ),
    "open-gop.ts": _recipe(
        "such frames in HEVC, which decoders skip after a seek",
        *_lavfi(LONG),
        *("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
        *("-x265-params", "open-gop=1:keyint=12:bframes=3:log-level=none"),
    ),
    "refresh.mp4": _recipe(
        "no keyframes, but pictures renewed bit by bit",
        *_lavfi(LONG),
        *("-c:v", "libx264", "-pix_fmt", "yuv420p"),
        *("-x264-params", "intra-refresh=1:keyint=20:bframes=0"),
    ),
    "vfr-long.mkv": _recipe(
        "variable frame rate, in milliseconds",
        *_lavfi(LONG, SOUND),
        *("-vf", "select='not(mod(n,3))+lt(mod(n,40),9)'", "-fps_mode", "passthrough", *X264, *AAC),
    ),
    "fine.mp4": _recipe(
        "a clock finer than that of the output",
        *_lavfi(LONG),
        *("-vf", "settb=1/7001,setpts=N*281+mod(N*7\\,5)", "-fps_mode", "passthrough"),
        *("-enc_time_base", "1/7001000", "-video_track_timescale", "7001000", *X264),
    ),
    "negative.asf": _recipe(
        "starts before zero",
        *_lavfi(LONG, SOUND),
        *("-output_ts_offset", "-0.7", "-avoid_negative_ts", "disabled", *X264, *AAC),
    ),
    "negative.ts": _recipe(
        "starts before zero as transport streams do, just before their 33-bit clock starts anew",
        *_lavfi(LONG, SOUND),
        *("-output_ts_offset", "95441", *X264, *AAC),
    ),
    "negative.mkv": _recipe(
        "was written as if Matroska had times before zero",
        *_lavfi(LONG),
        *("-output_ts_offset", "-0.7", "-avoid_negative_ts", "disabled", *X264),
    ),
    "recorded.flv": _recipe("written as it comes, so a part of it is a file", *_lavfi(LONG), *X264),
    "late-end.mp4": _recipe(
        "a gap before the last frame, which is decoded before others",
        *_lavfi(PICTURE),
        *("-vf", "setpts=PTS+eq(N\\,49)/TB", "-fps_mode", "passthrough", *X264),
    ),
    "offset.mp4": _recipe(
        "starts at five seconds", *_lavfi(LONG, SOUND), "-output_ts_offset", "5", *X264, *AAC
    ),
    "fields.mp4": _recipe(
        "fields in H.264",
        *_lavfi(f"testsrc2=size=320x180:rate=50:duration={LONG_SECONDS}"),
        *("-vf", "tinterlace=interleave_top,setfield=tff", "-flags", "+ilme+ildct"),
        *("-c:v", "libx264", "-g", "12", "-pix_fmt", "yuv420p", "-x264-params", "tff=1"),
    ),
    "packed.avi": _recipe(
        "MPEG-4 with B-frames in AVI, which has no times of showing",
        *_lavfi(LONG),
        *("-c:v", "mpeg4", "-bf", "2", "-g", "12", "-q:v", "3"),
    ),
    "program.mpg": _recipe(
        "a program stream, which says of few frames when they are shown",
        *_lavfi(LONG, SOUND),
        *("-c:v", "mpeg2video", "-bf", "2", "-g", "12", "-c:a", "mp2", "-f", "vob"),
    ),
    "hidden.webm": _recipe(
        "frames that are never shown",
        *_lavfi(LONG),
        *("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "30"),
        *("-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "200k", "-pix_fmt", "yuv420p"),
    ),
    "intra.mov": _recipe(
        "keyframes only", *_lavfi(LONG), "-c:v", "mjpeg", "-q:v", "5", "-pix_fmt", "yuvj420p"
    ),
    "leading.mkv": _recipe(
        "begins with frames that need what is before the first keyframe",
        *("-ss", "1", "-i", "@open-gop.mp4", "-c", "copy"),
    ),
    "decoded.avi": _recipe(
        "H.264 with B-frames, of which AVI says when they are decoded",
        *_lavfi(PICTURE, SOUND),
        *(*X264, "-bf", "3", "-c:a", "libmp3lame"),
    ),
    "stands.mp4": _recipe(
        "one frame is shown for half a minute",
        *_lavfi("testsrc2=size=160x90:rate=10:duration=34"),
        *("-vf", "select='lt(t,2)+gt(t,32)'", "-fps_mode", "passthrough", *X264),
    ),
    "bursts.mp4": _recipe(
        "120 frames a second, then ten",
        *_lavfi("testsrc2=size=160x90:rate=120:duration=4"),
        *("-vf", "select='lt(t,1)+not(mod(n,12))'", "-fps_mode", "passthrough", *X264),
    ),
    "hidden-vp8.webm": _recipe(
        "frames of VP8 that are never shown",
        *_lavfi("testsrc2=size=160x90:rate=25:duration=4"),
        *("-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "100k"),
        *("-g", "40", "-cpu-used", "5"),
    ),
    "grain.webm": _recipe(
        "film grain that the decoder makes",
        *_lavfi("testsrc2=size=160x90:rate=25:duration=4"),
        *("-c:v", "libsvtav1", "-preset", "10", "-g", "40", "-svtav1-params", "film-grain=20"),
    ),
    "theora.ogv": _recipe(
        "Theora", *_lavfi(LONG, SOUND), "-c:v", "libtheora", "-g", "20", "-c:a", "libvorbis"
    ),
    "windows.wmv": _recipe(
        "Windows Media", *_lavfi(LONG, SOUND), "-c:v", "wmv2", "-g", "20", "-c:a", "wmav2"
    ),
    "empty-edits.mp4": _recipe(
        "picture and sound begin with empty edits of different lengths",
        *("-itsoffset", "0.7", "-i", "@plain.mp4", "-itsoffset", "0.3", "-i", "@plain.mp4"),
        *("-map", "0:v", "-map", "1:a", "-c", "copy"),
    ),
    "cropped.mp4": _recipe(
        "a part of the coded picture is shown",
        *("-i", "@silent.mp4", "-c", "copy", "-bsf:v"),
        "h264_metadata=crop_left=2:crop_right=6:crop_top=2:crop_bottom=4",
    ),
    "mirrored.mp4": _recipe(
        "turned and mirrored",
        *("-display_rotation", "90", "-display_vflip", "-i", "@plain.mp4", "-c", "copy"),
    ),
    "alpha.mov": _recipe(
        "ProRes with transparency",
        *_lavfi("testsrc2=size=160x90:rate=25:duration=1"),
        *("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"),
    ),
    "fragments.mp4": _recipe(
        "fragments, and times of decoding after those of showing",
        *("-i", "@plain.mp4", "-c", "copy", "-movflags"),
        "frag_keyframe+empty_moov+negative_cts_offsets",
    ),
    "hundred-hours.mkv": _recipe(
        "starts after a hundred hours",
        "-i",
        "@plain.mp4",
        "-c",
        "copy",
        "-output_ts_offset",
        "360000",
    ),
    "one-frame.mp4": _recipe("one frame", *_lavfi(PICTURE), "-frames:v", "1", *X264),
    "raw.h264": _recipe("a stream without times", *_lavfi(PICTURE), *X264),
    "still.png": _recipe(
        "a picture", *_lavfi("color=red:size=640x640:duration=0.04"), "-frames:v", "1"
    ),
}


class Clips:
    """Makes each clip at its first use and keeps it for the session."""

    def __init__(self, folder: Path, ffmpeg: str) -> None:
        self.folder = folder
        self.ffmpeg = ffmpeg

    def __call__(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            self._make(path, RECIPES[name])
        return path

    def _make(self, path: Path, recipe: Recipe) -> None:
        filled = [
            str(self(word[1:])) if isinstance(word, str) and word.startswith("@") else word
            for word in recipe.arguments
        ]
        subprocess.run(
            [self.ffmpeg, "-v", "error", "-nostdin", "-y", *filled, path],
            check=True,
            capture_output=True,
        )
