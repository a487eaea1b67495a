"""Outputs: staged as a hidden sibling, then published whole by one rename that never replaces.

Every step may be repeated after a crash. Never writes to a target that exists.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
from enum import StrEnum
from pathlib import Path

from ffrtmp_ray.core.model import AttemptId, JobId

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
# both from <linux/fcntl.h> and <linux/fs.h>; the call is renameat2(2), in glibc since 2.28
_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})
"""What renameat2 says where the kernel or the file system (NFS, some FUSE) has no NOREPLACE."""


class Publication(StrEnum):
    """How an attempt to publish went."""

    PUBLISHED = "published"
    """Now, or before: the target is there and complete."""
    OCCUPIED = "occupied"
    """Something else is at the target; the staged output is untouched."""
    LOST = "lost"
    """Neither the staged output nor a published one is there: it must be made again."""


def staging_path(target: Path, attempt_id: AttemptId) -> Path:
    """Where an attempt stages `target`: hidden, beside it, so on the same file system."""
    return target.with_name(f".{target.name}.{attempt_id}.part")


def make_staging(target: Path, attempt_id: AttemptId, *, folder: bool) -> Path:
    """An empty place to stage `target` at, its parents made; what was there is removed.

    A folder is created; a file's path is returned free.
    """
    staged = staging_path(target, attempt_id)
    staged.parent.mkdir(parents=True, exist_ok=True)
    remove(staged)
    if folder:
        staged.mkdir()
    return staged


def publish(staged: Path, target: Path) -> Publication:
    """Make `staged` visible as `target`, durably and never replacing anything.

    Published already (the source gone, the target there) is published. Raises OSError when the
    file system refuses.
    """
    if not os.path.lexists(staged):
        if not os.path.lexists(target):
            return Publication.LOST
        _sync_folder(target.parent)
        return Publication.PUBLISHED
    _sync_tree(staged)
    if not _is_same_file(staged, target):
        try:
            _rename_without_replacing(staged, target)
        except FileExistsError:
            return Publication.OCCUPIED
    if os.path.lexists(staged):  # published by a link, now or before a crash
        staged.unlink()
    _sync_folder(target.parent)
    return Publication.PUBLISHED


def remove(path: Path) -> None:
    """Remove a staged file or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_stale(target: Path, job_id: JobId, keep: frozenset[AttemptId] = frozenset()) -> None:
    """Remove what attempts of a job have staged for `target`, but for those in `keep`."""
    pattern = re.compile(
        rf"\.{re.escape(target.name)}\.({re.escape(job_id)}-[A-Za-z0-9-]+)\.part", re.DOTALL
    )
    if not target.parent.is_dir():
        return
    for sibling in target.parent.iterdir():
        found = pattern.fullmatch(sibling.name)
        if found and found[1] not in keep:
            remove(sibling)


def _rename_without_replacing(source: Path, target: Path) -> None:
    """rename(2) that fails with FileExistsError when there is a target."""
    try:
        _renameat2(source, target)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        _rename_where_noreplace_is_unknown(source, target)


def _renameat2(source: Path, target: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    call = getattr(libc, "renameat2", None)
    if call is None:  # musl before 1.2.6
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    outcome = call(
        _AT_FDCWD,
        os.fsencode(source),
        _AT_FDCWD,
        os.fsencode(target),
        ctypes.c_uint(_RENAME_NOREPLACE),
    )
    if outcome != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(target))


def _rename_where_noreplace_is_unknown(source: Path, target: Path) -> None:
    """A file: link(2) refuses what exists, the caller removes the old name. A folder: rename(2)
    replaces nothing but an empty folder, of which nothing can be lost."""
    if not source.is_dir():
        os.link(source, target)
        return
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    try:
        source.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.ENOTDIR):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        raise


def _is_same_file(staged: Path, target: Path) -> bool:
    """Whether `target` is a link to `staged`: a publication that a crash left half done."""
    return target.is_file() and not target.is_symlink() and staged.samefile(target)


def _sync_tree(path: Path) -> None:
    if path.is_dir():
        for child in path.iterdir():
            _sync_tree(child)
        _sync_folder(path)
        return
    _fsync(path, os.O_RDONLY)


def _sync_folder(folder: Path) -> None:
    _fsync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _fsync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
