"""Where benchmarks make the control groups that hold a process to a part of a CPU."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.quota import Hierarchy, hierarchy_of

VERSION_1 = """\
tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0
"""
VERSION_2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime 0 0\n"


def test_a_hierarchy_for_cpu_alone_is_preferred_to_the_common_one() -> None:
    assert hierarchy_of(VERSION_2 + VERSION_1) == Hierarchy(Path("/sys/fs/cgroup/cpu,cpuacct"), 1)
    assert hierarchy_of(VERSION_2) == Hierarchy(Path("/sys/fs/cgroup"), 2)


def test_a_machine_without_groups_is_told_so() -> None:
    with pytest.raises(LookupError, match="no control groups"):
        hierarchy_of("proc /proc proc rw 0 0\n")


def test_groups_are_made_below_our_own_where_that_may_have_processes() -> None:
    own = "4:memory:/other\n3:cpuset:/sets\n2:cpu,cpuacct:/shell\n0::/\n"
    assert Hierarchy(Path("/c"), 1).beside(own) == Path("/c/shell")


def test_groups_are_made_beside_our_own_where_it_may_not() -> None:
    assert Hierarchy(Path("/c"), 2).beside("0::/user.slice/shell\n") == Path("/c/user.slice")
    assert Hierarchy(Path("/c"), 2).beside("0::/\n") == Path("/c")


def test_a_fifth_of_a_cpu_is_twenty_milliseconds_of_each_hundred() -> None:
    assert Hierarchy(Path("/c"), 1).limits(0.2) == {
        "cpu.cfs_period_us": "100000",
        "cpu.cfs_quota_us": "20000",
    }
    assert Hierarchy(Path("/c"), 2).limits(0.2) == {"cpu.max": "20000 100000"}
