"""Small regular files: read whole within a limit, and recognised again without reading.

Paths are followed through symbolic links each time, so the swapped `..data` of a Kubernetes
volume counts as a change. What the content means is for the callers.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

_REASONS = {
    errno.ENOENT: "does not exist",
    errno.ENOTDIR: "does not exist: a part of the path is not a folder",
    errno.EISDIR: "is a folder, not a file",
    errno.EACCES: "may not be read by this user",
    errno.EPERM: "may not be read by this user",
    errno.ELOOP: "is a symbolic link that leads back to itself",
    errno.ENXIO: "is not a regular file",
}


class FileTrouble(Exception):
    """The file can't be read. The message has no subject, as in "does not exist"."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Two equal stamps of one path mean: most likely the same content."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Content:
    data: bytes
    stamp: Stamp


def stamp_of(path: Path) -> Stamp:
    """Look at the file without reading it. Blocking; raises FileTrouble."""
    try:
        return _stamp(path.stat())
    except (OSError, ValueError) as error:
        raise FileTrouble(_reason(error)) from error


def read_file(path: Path, limit: int) -> Content:
    """Read a regular file of at most `limit` bytes. Blocking; raises FileTrouble."""
    try:
        # Without O_NONBLOCK the opening of a named pipe would wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise FileTrouble("is not a regular file")
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise FileTrouble(_reason(error)) from error
    if len(data) > limit:
        raise FileTrouble(f"is larger than {limit} bytes")
    return Content(data, _stamp(found))


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return _REASONS.get(error.errno or 0, f"can't be read: {error.strerror}")
    return "is not a possible path"
