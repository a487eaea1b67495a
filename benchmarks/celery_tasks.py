"""The one task of the Celery worker that `makespan` compares with: run a command.

Started as `celery -A benchmarks.celery_tasks worker`. Its broker needs no server: messages and
results are files, in the folder that MAKESPAN_FOLDER names.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from celery import Celery

_folder = Path(os.environ["MAKESPAN_FOLDER"])
_messages, _results = _folder / "messages", _folder / "results"
for _each in (_messages, _results):
    _each.mkdir(parents=True, exist_ok=True)

app = Celery("makespan", broker="filesystem://", backend=f"file://{_results}")
app.conf.broker_transport_options = {
    "data_folder_in": str(_messages),
    "data_folder_out": str(_messages),
    "control_folder": str(_folder / "control"),
}
app.conf.worker_prefetch_multiplier = 1
app.conf.task_acks_late = True


@app.task
def run(argv: Sequence[str]) -> None:
    subprocess.run(argv, check=True)
