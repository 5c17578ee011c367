"""A file that is written whole or not at all, whatever ends the writing.

The content goes to a draft beside the file, to the disk, and only then to its name. A draft that a
crash leaves behind is hidden, ends in `.draft`, and may be deleted. Files that grow are elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from zhongkong.runtime.clock import SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOR_ITS_OWNER: Final = 0o600
FOR_EVERYBODY: Final = 0o666

_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_NO_SYNC: Final = frozenset({errno.EINVAL, errno.EOPNOTSUPP})
"""What file systems say that have no such thing for a folder, or for links."""


def write_whole(
    path: Path, content: bytes, *, mode: int = FOR_ITS_OWNER, overwrite: bool = True
) -> None:
    """Write the file; it is on the disk when this returns. Blocking. May be repeated.

    `mode` is the most that others may do with it, from the first byte on; the umask takes more
    away. A symbolic link at the name gives way to the file, and what it leads to is left alone; a
    device or a pipe is refused. Raises OSError that names `path`, FileExistsError where something
    is there and `overwrite` is False. No draft is left then, and what was there is as it was,
    unless it was the last step that failed: to have the folder, too, on the disk.
    """
    with _named_in_errors(path):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _refuse_what_is_no_file(path)
            draft = path.with_name(f".{SystemRandomness().token(8)}.draft")
            try:
                _write(draft, content, mode)
                _name(draft, path, overwrite=overwrite)
            finally:
                draft.unlink(missing_ok=True)
            _sync_names(folder)
        finally:
            os.close(folder)


@contextmanager
def _named_in_errors(path: Path) -> Iterator[None]:
    """A draft's name would tell nobody anything."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _refuse_what_is_no_file(path: Path) -> None:
    """Root would otherwise put a file in the place of /dev/null or /dev/stdout."""
    try:
        found = path.stat().st_mode
    except OSError:
        return  # nothing is there, or a link that leads to nothing
    if not stat.S_ISREG(found) and not stat.S_ISDIR(found):
        raise OSError(errno.EINVAL, "It is no regular file")


def _write(draft: Path, content: bytes, mode: int) -> None:
    """Nobody can have put anything at a name that nobody can guess; O_EXCL makes sure."""
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _name(draft: Path, path: Path, *, overwrite: bool) -> None:
    if overwrite:
        draft.replace(path)
        return
    try:
        path.hardlink_to(draft)  # unlike a rename it refuses what is there
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A crash between these two leaves an empty file: there is no other way without links.
        path.touch(FOR_ITS_OWNER, exist_ok=False)
        draft.replace(path)


def _sync_names(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
