"""What all attempts on a worker share: its settings, ffmpeg, the prober, where files lie."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from ffrtmp_ray.core.model import AttemptId, JobId
from ffrtmp_ray.media import ffmpeg as program
from ffrtmp_ray.media.probe.prober import Prober
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.chunk_store import FOLDER, ChunkStore
from ffrtmp_ray.storage.publish import remove
from ffrtmp_ray.storage.workspace import Workspace

STAGED_NOTE = "staged.json"
"""In an attempt's folder: where it stages outputs, outside the workspace. Written before it does,
so that whoever removes the attempt finds them, even when the worker died over it."""


class Toolbox:
    """For use in one event loop, but for `remove_attempt`, which may run in any thread."""

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

    def remove_attempt(self, job_id: JobId, attempt_id: AttemptId) -> None:
        """Remove what one attempt has written, wherever it is."""
        note = self.workspace.attempt(job_id, attempt_id) / STAGED_NOTE
        if note.is_file():
            remove(Path(json.loads(note.read_text(encoding="utf-8"))))
        self.workspace.remove(job_id, attempt_id)
