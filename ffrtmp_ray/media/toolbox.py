"""What all attempts on a worker share: its settings, ffmpeg, the prober, where files lie."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path

import structlog

from ffrtmp_ray.core.model import AttemptId, JobId
from ffrtmp_ray.errors import CallerError, Unavailable
from ffrtmp_ray.media import ffmpeg as program
from ffrtmp_ray.media.probe.prober import Prober
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.chunk_store import FOLDER, ChunkStore
from ffrtmp_ray.storage.publish import remove
from ffrtmp_ray.storage.publish_objects import withdraw_objects
from ffrtmp_ray.storage.workspace import Workspace

STAGED_NOTE = "staged.json"
"""In an attempt's folder: where it stages outputs, outside the workspace. Written before it does,
so that whoever removes the attempt finds them, even when the worker died over it."""
PUBLISHING_NOTE = "publishing.json"
"""In the folder of the attempt that made them: to where its outputs are put, as objects, and by the
name of which publication. Of a job that ends over it, they are taken back."""

log = structlog.get_logger(__name__)


class Toolbox:
    """For use in one event loop, but for `remove_attempt` and `clear_up`, which may run in any
    thread."""

    def __init__(self, settings: Settings, ffmpeg: str) -> None:
        self.settings = settings
        self.ffmpeg = ffmpeg
        self.workspace = Workspace(settings.workspace_dir)
        self.chunks = ChunkStore(
            settings.workspace_dir / FOLDER,
            max_bytes=settings.chunk_store_bytes,
            max_age_seconds=settings.chunk_store_days * 86400,
        )
        self.prober = Prober(
            memory_bytes=settings.probe_memory_bytes,
            timeout_seconds=settings.probe_timeout_seconds,
        )
        self._version: asyncio.Task[str] | None = None

    @classmethod
    def open(cls, settings: Settings) -> Toolbox:
        """Raises MachineError when there is no ffmpeg."""
        return cls(settings, program.find(settings.ffmpeg))

    def start(self) -> None:
        """Warm up what the first task would wait for."""
        self.prober.start()

    def close(self) -> None:
        self.prober.close()

    async def ffmpeg_version(self) -> str:
        """Asked of the program once. Raises MachineError when it is no ffmpeg."""
        if self._version is None:
            self._version = asyncio.create_task(program.version(self.ffmpeg))
        return await asyncio.shield(self._version)

    def note_staged(self, folder: Path, staged: Path) -> None:
        """Keep in an attempt's `folder` where it is about to stage an output."""
        (folder / STAGED_NOTE).write_text(json.dumps(str(staged)), encoding="utf-8")

    def note_publishing(self, target: str, publication: str) -> None:
        """Keep where `publication`, as `<job>/<attempt>`, is about to be put."""
        folder = self.workspace.absolute(publication)
        if folder.is_dir():
            note = json.dumps({"target": target, "publication": publication})
            (folder / PUBLISHING_NOTE).write_text(note, encoding="utf-8")

    def clear_up(self, job_id: JobId, attempts: Iterable[AttemptId]) -> None:
        """Remove what ended `attempts` of a job that has ended for good have left, and what it has
        put of a publication that it never brought to its end."""
        for attempt_id in self.workspace.attempts(job_id):
            self._withdraw(self.workspace.attempt(job_id, attempt_id) / PUBLISHING_NOTE)
        for attempt_id in attempts:
            self.remove_attempt(job_id, attempt_id)

    def _withdraw(self, note: Path) -> None:
        if not note.is_file():
            return
        noted = json.loads(note.read_text(encoding="utf-8"))
        try:
            withdraw_objects(noted["target"], noted["publication"])
        except (CallerError, Unavailable) as trouble:  # the next job there is told whose it is
            log.warning("a publication was not taken back", **noted, error=str(trouble))
        else:
            note.unlink()

    def remove_attempt(self, job_id: JobId, attempt_id: AttemptId) -> None:
        """Remove what one attempt has written, wherever it is."""
        note = self.workspace.attempt(job_id, attempt_id) / STAGED_NOTE
        if note.is_file():
            remove(Path(json.loads(note.read_text(encoding="utf-8"))))
        self.workspace.remove(job_id, attempt_id)
