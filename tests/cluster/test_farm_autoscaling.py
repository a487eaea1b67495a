"""A farm whose machines Ray's own autoscaler brings and takes: its provider for tests makes each a
node on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray.autoscaler._private.fake_multi_node.node_provider import FAKE_HEAD_NODE_ID

from ffrtmp_ray.cluster import local_ports, processes
from ffrtmp_ray.cluster.actors import NAMESPACE, create_scheduler
from ffrtmp_ray.cluster.driver import Farm
from ffrtmp_ray.cluster.local_ray import STARTED
from ffrtmp_ray.cluster.ray_environment import ALWAYS, MARK
from ffrtmp_ray.store.open import migrate
from tests.cluster.farms import SLOW, LocalFarm, quick_settings, until
from tests.cluster.media import make_clip

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

IDLE_MINUTES = 0.05
CLUSTER = {
    "cluster_name": "autoscaled",
    "max_workers": 2,
    "idle_timeout_minutes": IDLE_MINUTES,
    "provider": {
        "type": "fake_multinode",
        "use_node_id_as_ip": True,
        "disable_node_updaters": True,
        "disable_launch_config_check": True,
        "launch_multiple": True,
        "head_node_id": FAKE_HEAD_NODE_ID,
    },
    "available_node_types": {
        "head": {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
        "cpu": {"resources": {"CPU": 1}, "node_config": {}, "min_workers": 0, "max_workers": 2},
    },
    "head_node_type": "head",
}


@pytest.fixture
def farm() -> Iterator[LocalFarm]:
    """It begins without a machine."""
    folder = Path(tempfile.mkdtemp(prefix="ff", dir="/tmp"))
    (folder / "cluster.json").write_text(json.dumps(CLUSTER))
    ports, mark = local_ports.choose("127.0.0.1"), uuid.uuid4().hex
    command = [Path(sys.executable).with_name("ray"), "start", "--head", "--block"]
    options = {
        "autoscaling-config": folder / "cluster.json",
        "num-cpus": 0,
        "num-gpus": 0,
        "port": ports.ray,
        "temp-dir": folder / "ray",
        "include-dashboard": "false",
        "min-worker-port": 0,
        "max-worker-port": 0,
        "object-store-memory": 128 * 1024**2,
    }
    environment = {
        MARK: mark,
        "AUTOSCALER_UPDATE_INTERVAL_S": "1",
        "AUTOSCALER_METRIC_PORT": str(ports.autoscaler_metrics),
        "RAY_FAKE_CLUSTER": "1",
        "RAY_enable_autoscaler_v2": "1",
        "RAY_CLOUD_INSTANCE_ID": FAKE_HEAD_NODE_ID,
        "RAY_OVERRIDE_NODE_ID_FOR_TESTING": FAKE_HEAD_NODE_ID,
    }
    log = folder / "ray.log"
    with log.open("w") as output:
        head = subprocess.Popen(
            [*command, *(f"--{name}={value}" for name, value in options.items())],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | ALWAYS | environment,
        )
    try:
        until(lambda: STARTED in log.read_text(), 120)
        ray.init(address=f"127.0.0.1:{ports.ray}", namespace=NAMESPACE, log_to_driver=False)
        settings = quick_settings(folder / "state", folder, autoscale=True, idle_seconds=1.0)
        migrate(settings.database_url)
        create_scheduler(settings)
        with Farm(who="test") as driver:
            until(lambda: driver.ready().scheduler, 60)
            yield LocalFarm(driver, settings, folder / "ray")
    finally:
        ray.shutdown()
        processes.end(lambda: processes.marked(mark), head.pid, 0)
        head.wait()
        shutil.rmtree(folder, ignore_errors=True)


def machines() -> int:
    """Beside the head."""
    alive = [node for node in ray.nodes() if node["Alive"]]
    return len(alive) - 1


def test_machines_come_for_what_waits_and_go_when_nothing_does(farm: LocalFarm) -> None:
    root = farm.settings.input_roots[0]
    clip = make_clip(Path(root) / "clip.mp4", seconds=8, size="640x360")
    assert machines() == 0
    jobs = [farm.submit(clip, Path(root) / f"{n}.mp4", SLOW, chunks=1) for n in range(3)]
    until(lambda: machines() == 2, 90)
    for job in jobs:
        farm.completed(job.id, 120)
    until(lambda: machines() == 1, 60)
    assert [worker.state for worker in farm.farm.workers()] == ["ready"]
    again = farm.submit(clip, Path(root) / "again.mp4")
    farm.completed(again.id)
