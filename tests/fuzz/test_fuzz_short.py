"""Damaged clips, the same each time: a short form of `make fuzz`."""

from __future__ import annotations

from pathlib import Path

from tests.clips import Clips
from tests.fuzz.jobs import run
from tests.fuzz.variants import DAMAGE, damaged

NAMES = ("plain.mp4", "stream.ts", "vfr-long.mkv", "hidden.webm", "negative.asf", "intra.mov")


async def test_a_job_with_a_damaged_clip_completes_or_fails_with_a_reason_and_leaves_nothing(
    clips: Clips, tmp_path: Path
) -> None:
    sources = [clips(name) for name in NAMES]
    ended = [each async for each in run(sources, tmp_path, seed=4, first=0, count=18)]
    assert [each for each in ended if each.defects] == []
    assert {each.outcome for each in ended} >= {"completed", "bad_input"}


def test_the_same_seed_does_the_same_damage_and_all_kinds_come() -> None:
    data = bytes(range(256)) * 100
    tried = [damaged(data, 1, number) for number in range(60)]
    assert tried == [damaged(data, 1, number) for number in range(60)]
    assert {how for how, _ in tried} == set(DAMAGE)
    assert all(variant != data for _, variant in tried)
