"""The reader of `-progress`, on what real ffmpegs have written."""

from ffrtmp_ray.media.process.progress import ProcessProgress, ProgressParser

VIDEO = """\
frame=50
fps=24.97
stream_0_0_q=-1.0
bitrate= 309.3kbits/s
total_size=77315
out_time_us=2000000
out_time_ms=2000000
out_time=00:00:02.000000
dup_frames=0
drop_frames=0
speed=  14x
progress=end
"""

BEFORE_THE_FIRST_PACKET = """\
frame=0
fps=0.00
stream_0_0_q=0.0
bitrate=N/A
total_size=44
out_time_us=N/A
out_time_ms=N/A
out_time=N/A
dup_frames=0
drop_frames=0
speed=N/A
progress=continue
"""

AUDIO = """\
bitrate= 128.4kbits/s
total_size=1310720
out_time_us=81664000
out_time_ms=81664000
out_time=00:01:21.664000
dup_frames=0
drop_frames=0
speed=82.1x
progress=continue
"""

SEVERAL_OUTPUTS_FROM_BEFORE_ZERO = """\
frame=1
fps=0.00
stream_0_0_q=28.0
stream_1_0_q=29.0
bitrate=N/A
total_size=N/A
out_time_us=-66667
out_time_ms=-66667
out_time=-00:00:00.066667
dup_frames=0
drop_frames=0
speed=1.02e+03x
progress=continue
"""


def read(text: str) -> list[ProcessProgress]:
    parser = ProgressParser()
    return [found for line in text.splitlines() if (found := parser.feed(line))]


def test_a_block_says_how_far_a_video_is() -> None:
    assert read(VIDEO) == [
        ProcessProgress(
            frame=50,
            out_time_seconds=2.0,
            fps=24.97,
            speed=14.0,
            total_bytes=77315,
            done=True,
        )
    ]


def test_what_is_not_available_yet_is_none() -> None:
    assert read(BEFORE_THE_FIRST_PACKET) == [
        ProcessProgress(
            frame=0, out_time_seconds=None, fps=0.0, speed=None, total_bytes=44, done=False
        )
    ]


def test_audio_has_a_time_and_no_frames() -> None:
    (progress,) = read(AUDIO)
    assert (progress.frame, progress.fps) == (0, None)
    assert progress.out_time_seconds == 81.664


def test_times_may_lie_before_zero_and_speeds_may_be_huge() -> None:
    (progress,) = read(SEVERAL_OUTPUTS_FROM_BEFORE_ZERO)
    assert progress.out_time_seconds == -0.066667
    assert progress.speed == 1020.0
    assert progress.total_bytes is None


def test_the_clock_is_read_where_microseconds_are_missing() -> None:
    times = [
        read(f"out_time={text}\nprogress=continue")[0].out_time_seconds
        for text in ("01:02:03.500000", "-00:00:00.066667", "N/A", "")
    ]
    assert times == [3723.5, -0.066667, None, None]


def test_one_value_comes_out_for_each_block_and_none_leaks_into_the_next() -> None:
    first, second = read(VIDEO + AUDIO)
    assert first.done
    assert not second.done
    assert second.frame == 0


def test_lines_that_are_no_values_are_ignored() -> None:
    assert read("Press [q] to stop\n\nprogress") == []
    assert [found.frame for found in read("noise\n" + VIDEO)] == [50]
