"""A disk of a few MiB that a process has to itself, and that a test may fill and free.

It is mounted in a mount namespace of the process alone, so that nothing of it is left behind,
however the process or the test ends. A machine that lets nobody do that skips the test.
"""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

_MIB = 1024 * 1024
_MOUNT = 'mount -t tmpfs -o size="$0" tmpfs "$1" && shift && exec "$@"'


@dataclass(frozen=True)
class SmallDisk:
    """Empty, and `place` is where the process finds it."""

    place: Path
    mib: int

    @property
    def wrapper(self) -> Sequence[str]:
        """Goes before a command that is to have it."""
        own_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        mount = ["sh", "-c", _MOUNT, f"{self.mib}m", str(self.place)]
        return ["unshare", *own_user, "--mount", *mount]

    def require(self) -> None:
        """Skip the test where nobody may mount anything."""
        self.place.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run([*self.wrapper, "true"], capture_output=True, check=False)
        except FileNotFoundError:
            pytest.skip("unshare (util-linux) is not installed")
        if done.returncode:
            pytest.skip("a disk of its own is mounted only for root or with user namespaces")

    def fill(self, pid: int) -> None:
        """Leave no byte of it to the process `pid`, which has it."""
        with self._filler(pid).open("ab", buffering=0) as file:
            size = _MIB
            while size:
                try:
                    file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def free(self, pid: int) -> None:
        self._filler(pid).unlink()

    def _filler(self, pid: int) -> Path:
        return Path(f"/proc/{pid}/root{self.place}/filler")
