"""The command lines of encodes, whole."""

from fractions import Fraction

import pytest
from pydantic import ValidationError

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encode.audio import audio_argv
from ffrtmp_ray.media.encode.opening import seconds
from ffrtmp_ray.media.encode.video import filter_graph, video_argv
from ffrtmp_ray.media.encode.work import AudioWork, ChunkWork, Color, Form, OutputWork, VideoWork
from ffrtmp_ray.media.inputs import DEMUXERS
from ffrtmp_ray.media.spec import Audio, AudioCodec, Codec, Effort, Rendition

FORMATS = ",".join(DEMUXERS)
HD = Rendition(name="hd", codec=Codec.H264, height=720, crf=23, max_bitrate=3_000_000)
SD = Rendition(name="sd", codec=Codec.HEVC, height=360, crf=26.5, effort=Effort.FAST)


def work(*outputs: OutputWork, **fields: object) -> VideoWork:
    values = {
        "stream": 0,
        "frame_rate": "25",
        "timescale": 12800,
        "outputs": outputs or (OutputWork(rendition=HD, width=1280, height=720),),
    }
    return VideoWork.model_validate(values | fields)


TWO = work(
    OutputWork(rendition=HD, width=1280, height=720),
    OutputWork(rendition=SD, width=640, height=360),
    stream=1,
    frame_rate="30000/1001",
    timescale=90000,
)

OPENING = [
    "ffmpeg",
    "-nostdin",
    "-hide_banner",
    "-y",
    "-loglevel",
    "level+warning",
    "-progress",
    "pipe:1",
    "-nostats",
    "-copyts",
    "-protocol_whitelist",
    "file",
    "-format_whitelist",
    FORMATS,
    "-max_pixels",
    "67108864",
]
MP4 = [
    "-map_metadata",
    "-1",
    "-map_chapters",
    "-1",
    "-video_track_timescale",
    "{timescale}",
    "-movflags",
    "+frag_keyframe+empty_moov+delay_moov+default_base_moof",
    "-f",
    "mp4",
]


def mp4(timescale: str) -> list[str]:
    return [part.format(timescale=timescale) for part in MP4]


# ------------------------------------------------------------------------------ pictures


def test_one_rendition_on_cpus() -> None:
    argv = video_argv("ffmpeg", "/in/a.mp4", work(), outputs={"hd": "/w/hd.mp4"}, cpus=4, gpu=None)
    assert argv == [
        *OPENING,
        *("-threads", "4"),
        *("-reinit_filter", "0"),
        *("-i", "/in/a.mp4"),
        *("-filter_complex_threads", "4"),
        "-filter_complex",
        "[0:0]setpts=PTS-STARTPTS,settb=1/12800,scale=1280:720,setsar=1,format=yuv420p[out0]",
        *("-map", "[out0]"),
        *("-fps_mode", "passthrough"),
        *("-enc_time_base", "1/12800"),
        *("-c:v", "libx264"),
        *("-pix_fmt", "yuv420p"),
        *("-preset", "medium"),
        *("-crf", "23"),
        *("-maxrate", "3000000", "-bufsize", "6000000"),
        *("-g", "250"),
        *("-threads", "4"),
        *mp4("12800"),
        "/w/hd.mp4",
    ]


def test_a_ladder_is_made_from_one_decode() -> None:
    paths = {"hd": "/w/hd.mp4", "sd": "/w/sd.mp4"}
    argv = video_argv("ffmpeg", "/in/a.mp4", TWO, outputs=paths, cpus=2, gpu=None)
    assert argv == [
        *OPENING,
        *("-threads", "2"),
        *("-reinit_filter", "0"),
        *("-i", "/in/a.mp4"),
        *("-filter_complex_threads", "2"),
        "-filter_complex",
        "[0:1]setpts=PTS-STARTPTS,settb=1/90000,split=2[in0][in1];"
        "[in0]scale=1280:720,setsar=1,format=yuv420p[out0];"
        "[in1]scale=640:360,setsar=1,format=yuv420p[out1]",
        *("-map", "[out0]"),
        *("-fps_mode", "passthrough"),
        *("-enc_time_base", "1/90000"),
        *("-c:v", "libx264"),
        *("-pix_fmt", "yuv420p"),
        *("-preset", "medium"),
        *("-crf", "23"),
        *("-maxrate", "3000000", "-bufsize", "6000000"),
        *("-g", "250"),
        *("-threads", "2"),
        *mp4("90000"),
        "/w/hd.mp4",
        *("-map", "[out1]"),
        *("-fps_mode", "passthrough"),
        *("-enc_time_base", "1/90000"),
        *("-c:v", "libx265"),
        *("-pix_fmt", "yuv420p"),
        *("-preset", "veryfast"),
        *("-crf", "26.5"),
        *("-g", "250"),
        *("-tag:v", "hvc1"),
        "-x265-params",
        "pools=2:frame-threads=1:wpp=1:open-gop=0:info=0:log-level=0",
        *mp4("90000"),
        "/w/sd.mp4",
    ]


def test_a_gpu_is_named_to_its_encoders() -> None:
    paths = {"hd": "/w/hd.mp4", "sd": "/w/sd.mp4"}
    deep = TWO.model_copy(update={"bit_depth": 10})
    argv = video_argv("ffmpeg", "/in/a.mp4", deep, outputs=paths, cpus=2, gpu=1)
    assert argv[argv.index("-filter_complex") + 1 :] == [
        "[0:1]setpts=PTS-STARTPTS,settb=1/90000,split=2[in0][in1];"
        "[in0]scale=1280:720,setsar=1,format=yuv420p[out0];"
        "[in1]scale=640:360,setsar=1,format=p010le[out1]",
        *("-map", "[out0]"),
        *("-fps_mode", "passthrough"),
        *("-enc_time_base", "1/90000"),
        *("-c:v", "h264_nvenc"),
        *("-pix_fmt", "yuv420p"),
        *("-preset", "p5"),
        *("-rc", "vbr", "-cq", "23", "-b:v", "0"),
        *("-maxrate", "3000000", "-bufsize", "6000000"),
        *("-g", "250"),
        *("-gpu", "1"),
        *mp4("90000"),
        "/w/hd.mp4",
        *("-map", "[out1]"),
        *("-fps_mode", "passthrough"),
        *("-enc_time_base", "1/90000"),
        *("-c:v", "hevc_nvenc"),
        *("-pix_fmt", "p010le"),
        *("-preset", "p2"),
        *("-rc", "vbr", "-cq", "26.5", "-b:v", "0"),
        *("-g", "250"),
        *("-tag:v", "hvc1"),
        *("-gpu", "1"),
        *mp4("90000"),
        "/w/sd.mp4",
    ]


def _words_after(argv: list[str], option: str) -> list[str]:
    return [argv[place + 1] for place, word in enumerate(argv) if word == option]


def test_keyframes_are_forced_in_all_renditions_at_one_list_of_times_and_nothing_else() -> None:
    wanted = TWO.model_copy(update={"keyframes": (0, 360_360, 720_001)})
    outputs = {"hd": "/w/hd.mp4", "sd": "/w/sd.mp4"}
    argv = video_argv("ffmpeg", "/in/a.mp4", wanted, outputs=outputs, cpus=2, gpu=None)
    assert _words_after(argv, "-force_key_frames") == ["0,4.004,8.000011"] * 2
    assert _words_after(argv, "-forced-idr") == ["1", "1"]
    plain = video_argv("ffmpeg", "/in/a.mp4", TWO, outputs=outputs, cpus=2, gpu=None)
    assert "-force_key_frames" not in plain
    assert "-forced-idr" not in plain


def test_an_encoders_own_keyframes_come_no_sooner_than_forced_ones() -> None:
    for length, gop in ((4, 250), (12, 300)):
        wanted = work(keyframes=(0, length * 12800))
        argv = video_argv("ffmpeg", "/a", wanted, outputs={"hd": "/b"}, cpus=2, gpu=None)
        assert _words_after(argv, "-g") == [str(gop)]


def test_a_chunk_is_read_from_its_keyframe_and_cut_by_ticks() -> None:
    chunk = ChunkWork(
        time_base=Fraction(1, 90000),
        seek_seconds=Fraction(2002, 1001),
        first_pts=-3,
        start_pts=360360,
        end_pts=720720,
        offset=51251,
    )
    argv = video_argv(
        "ffmpeg", "/in/a.ts", work(chunk=chunk), outputs={"hd": "/w/hd.mp4"}, cpus=1, gpu=None
    )
    opened = argv.index("-i")
    assert argv[: opened + 2] == [
        *OPENING,
        *("-threads", "1"),
        *("-seek_timestamp", "1", "-noaccurate_seek", "-ss", "2.000000"),
        *("-reinit_filter", "0"),
        *("-i", "/in/a.ts"),
    ]
    assert filter_graph(work(chunk=chunk), gpu=False) == (
        "[0:0]settb=1/90000,trim=start_pts=360360:end_pts=720720,"
        "setpts=PTS-(-3),settb=1/12800,setpts=PTS-51251,scale=1280:720,setsar=1,format=yuv420p[out0]"
    )


def test_the_first_chunk_is_read_from_the_beginning_and_the_last_to_the_end() -> None:
    tick = Fraction(1, 1000)
    first = work(chunk=ChunkWork(time_base=tick, first_pts=7, end_pts=4000, offset=0))
    last = work(
        chunk=ChunkWork(
            time_base=tick, seek_seconds=Fraction(2), first_pts=7, start_pts=4000, offset=51110
        )
    )
    assert "settb=1/1000,trim=end_pts=4000,setpts" in filter_graph(first, gpu=False)
    assert "settb=1/1000,trim=start_pts=4000,setpts" in filter_graph(last, gpu=False)
    argv = video_argv("ffmpeg", "a", first, outputs={"hd": "o"}, cpus=1, gpu=None)
    assert "-ss" not in argv


def test_fields_are_joined_before_the_cut() -> None:
    chunk = ChunkWork(time_base=Fraction(1, 90000), first_pts=0, end_pts=9, offset=0)
    form = Form(width=720, height=576, pixels="yuv420p")
    fields = work(interlaced=True, form=form, chunk=chunk)
    assert filter_graph(fields, gpu=False).startswith(
        "[0:0]scale=720:576:interl=-1:out_range=tv,format=yuv420p,"
        "bwdif=mode=send_frame:parity=auto:deint=interlaced,settb=1/90000,trim=end_pts=9,"
    )


def test_colours_are_stated_where_the_source_states_them() -> None:
    full = Color(primaries="bt2020", transfer="smpte2084", matrix="bt2020nc", range="tv")
    assert filter_graph(work(color=full), gpu=False).startswith(
        "[0:0]setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv,"
    )
    assert "setparams=range=pc," in filter_graph(work(color=Color(range="pc")), gpu=False)
    assert "setparams" not in filter_graph(work(), gpu=False)


def test_red_green_and_blue_become_bt709() -> None:
    assert filter_graph(work(rgb=True), gpu=False) == (
        "[0:0]setpts=PTS-STARTPTS,settb=1/12800,scale=1280:720:out_color_matrix=bt709:out_range=tv,"
        "setsar=1,format=yuv420p[out0]"
    )


def test_a_smaller_rendition_is_scaled_from_a_larger_one() -> None:
    large = OutputWork(rendition=HD, width=1280, height=720)
    small = OutputWork(rendition=SD, width=640, height=360, via=((1280, 720),))
    assert filter_graph(work(large, small), gpu=False) == (
        "[0:0]setpts=PTS-STARTPTS,settb=1/12800,scale=1280:720,setsar=1,format=yuv420p,"
        "split=2[out0][in0];[in0]scale=640:360,setsar=1,format=yuv420p[out1]"
    )
    alone = filter_graph(work(small, rgb=True), gpu=False)
    assert alone.endswith(
        "scale=1280:720:out_color_matrix=bt709:out_range=tv,setsar=1,format=yuv420p,"
        "scale=640:360,setsar=1,format=yuv420p[out0]"
    )


def test_a_reduced_rate_is_made_of_times_from_zero() -> None:
    ntsc = HD.model_copy(update={"fps": 23.976})
    reduced = work(OutputWork(rendition=ntsc, width=1280, height=720))
    assert filter_graph(reduced, gpu=False) == (
        "[0:0]setpts=PTS-STARTPTS,settb=1/12800,fps=24000/1001:eof_action=pass,settb=1/12800,"
        "scale=1280:720,setsar=1,format=yuv420p[out0]"
    )
    argv = video_argv("ffmpeg", "a", reduced, outputs={"hd": "o"}, cpus=1, gpu=None)
    assert argv[argv.index("-g") + 1] == "239"


def test_a_chunk_of_a_reduced_rate_has_the_frames_of_the_whole() -> None:
    """At 10 frames a second of 12,800 ticks, its own are number 10 to 20; the frame at tick 63 of
    the source is the first that none of these shows, and no frame of the other output."""
    slow = HD.model_copy(update={"name": "slow", "fps": 10.0})
    outputs = (OutputWork(rendition=each, width=1280, height=720) for each in (HD, slow))
    chunk = ChunkWork(
        time_base=Fraction(1, 25), first_pts=10, start_pts=34, end_pts=62,
        offset=12_288, length=14_336, until_pts=63,
    )  # fmt: skip
    cut = work(*outputs, chunk=chunk, keyframes=(0, 1280))
    assert filter_graph(cut, gpu=False) == (
        "[0:0]settb=1/25,trim=start_pts=34:end_pts=64,setpts=PTS-(10),settb=1/12800,"
        "setpts=PTS-12288,split=2[in0][in1];"
        "[in0]trim=end_pts=14336,scale=1280:720,setsar=1,format=yuv420p[out0];"
        "[in1]setpts=PTS+12288,fps=10:eof_action=pass,trim=start_pts=10:end_pts=21,"
        "settb=1/12800,setpts=PTS-12800,scale=1280:720,setsar=1,format=yuv420p[out1]"
    )
    argv = video_argv("ffmpeg", "a", cut, outputs={"hd": "o", "slow": "s"}, cpus=1, gpu=None)
    forced = [argv[n + 1] for n, word in enumerate(argv) if word == "-force_key_frames"]
    assert forced == ["0,0.1", "0,0.06"]


def test_a_codec_without_an_encoder_is_refused() -> None:
    vp9 = HD.model_copy(update={"codec": Codec.VP9})
    asked = work(OutputWork(rendition=vp9, width=2, height=2))
    with pytest.raises(InvalidRequest, match="no GPU makes vp9"):
        video_argv("ffmpeg", "a", asked, outputs={"hd": "o"}, cpus=1, gpu=0)


# ------------------------------------------------------------------------------ sound


def test_sound_is_counted_from_the_pictures_first_frame() -> None:
    asked = AudioWork(
        stream=2,
        audio=Audio(),
        source_channels=6,
        source_rate=44100,
        picture_start=Fraction(1001, 24000),
    )
    assert audio_argv("ffmpeg", "/in/a.mkv", asked, output="/w/a.mp4") == [
        *OPENING,
        *("-threads", "1"),
        *("-i", "/in/a.mkv"),
        "-filter_complex",
        "[0:2]asetpts=PTS-(1001/24000)/TB,"
        "aresample=rematrix_maxval=1,aformat=sample_fmts=fltp:sample_rates=44100:channel_layouts=5.1[even]",
        "-filter_complex",
        "anullsrc=channel_layout=5.1:sample_rate=44100:nb_samples=1,"
        "aformat=sample_fmts=fltp,asetpts=(N+1)*441000[ticks];"
        "[even][ticks]ainterleave=duration=first,asetpts=round(PTS/1000000/TB),"
        "aselect='not(eq(samples_n,1)*eq(mod(pts,441000),0))"
        "+isnan(prev_selected_t)+gt(t-prev_selected_t,10)',"
        "aresample=async=1:min_hard_comp=0.01:first_pts=0[out]",
        *("-map", "[out]", "-c:a", "aac", "-b:a", "128000"),
        *("-map_metadata", "-1", "-map_chapters", "-1"),
        *("-f", "mp4", "/w/a.mp4"),
    ]


def test_channels_are_mixed_down_when_asked_and_no_bitrate_exceeds_the_encoders() -> None:
    audio = Audio(codec=AudioCodec.OPUS, bitrate=1_024_000, channels=2)
    asked = AudioWork(stream=0, audio=audio, source_channels=6, source_rate=44100)
    argv = audio_argv("ffmpeg", "a", asked, output="o")
    assert argv[argv.index("-filter_complex") + 1].endswith(
        "aresample=rematrix_maxval=1,aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo[even]"
    )
    assert argv[argv.index("-c:a") + 1] == "libopus"
    assert argv[argv.index("-b:a") + 1] == "512000"


# ------------------------------------------------------------------------------ values


def test_work_travels_as_json() -> None:
    chunk = ChunkWork(
        time_base=Fraction(1, 90000),
        seek_seconds=Fraction(1001, 30000),
        first_pts=-9,
        start_pts=-5,
        offset=1,
    )
    video = work(chunk=chunk, color=Color(primaries="bt709"), interlaced=True)
    sound = AudioWork(
        stream=1, audio=Audio(), source_channels=2, source_rate=8000, picture_start=Fraction(-1, 3)
    )
    assert VideoWork.model_validate_json(video.model_dump_json()) == video
    assert AudioWork.model_validate(sound.model_dump(mode="json")) == sound
    assert sound.model_dump(mode="json")["picture_start"] == "-1/3"


@pytest.mark.parametrize("word", ["bt709:x=1", "bt709,null", "", "Bt709", "a b", "[x]"])
def test_a_colour_cannot_carry_a_filter(word: str) -> None:
    with pytest.raises(ValidationError):
        Color(primaries=word)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("0", "0.000000"),
        ("22/15", "1.466667"),
        ("-1/3", "-0.333333"),
        ("7200", "7200.000000"),
    ],
)
def test_a_time_to_seek_to_is_rounded_up(time: str, text: str) -> None:
    assert seconds(Fraction(time)) == text
