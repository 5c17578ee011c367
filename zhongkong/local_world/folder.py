"""The local world's folder: its lock, the keys that stay, and the files made anew at each start.

Every file is for its owner alone, and is either the old one or the new one, never half of it.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from zhongkong.local_world import plan
from zhongkong.runtime.startup import CannotStart

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zhongkong.runtime.clock import Randomness

_LOCK: Final = "world.lock"
_SECRET: Final = re.compile(r"[A-Za-z0-9]+\Z")


@contextmanager
def claimed(folder: Path, advice: str) -> Iterator[None]:
    """Hold the folder against a second world. Raises CannotStart; `advice` ends its message."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        _claim(lock, folder, advice)
        yield
    finally:
        os.close(lock)


def prepare(folder: Path, base: int, randomness: Randomness) -> None:
    """Write keys where there are none, and the configuration. Raises CannotStart.

    The token store begins anew: the emulated WeChat forgets its tokens when it stops, so a stored
    one would be dead.
    """
    try:
        secrets = {
            name: _kept_secret(folder / name, length, randomness)
            for name, length in plan.KEPT.items()
        }
        for name, text in plan.files(base, secrets).items():
            _write(folder / name, text)
        for suffix in ("", "-wal", "-shm"):
            (folder / f"{plan.STORE}{suffix}").unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _claim(lock: int, folder: Path, advice: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
        raise CannotStart(
            f"a local world runs in {folder} already (pid {owner or 'unknown'}); stop it with "
            f"Ctrl-C where it runs, or {advice}"
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _kept_secret(path: Path, length: int, randomness: Randomness) -> str:
    try:
        found = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        found = ""
    if len(found) == length and _SECRET.match(found):
        path.chmod(0o600)
        return found
    made = randomness.token((length + 1) // 2)[:length]
    _write(path, f"{made}\n")
    return made


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)


def _unwritable(folder: Path, error: OSError) -> CannotStart:
    return CannotStart(
        f"{folder} can't be used for the local world's files ({error.strerror or error}); "
        "--folder names another place"
    )
