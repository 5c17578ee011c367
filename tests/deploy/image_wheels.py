"""The wheels that the locks of an installation name, in a folder: what plays the package index."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.deploy.image_base import pip_of_this_machine

if TYPE_CHECKING:
    import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
LOCKS: Final = tuple(ROOT / "requirements" / name for name in ("build.txt", "runtime.txt"))


def wheels_of_the_locks(config: pytest.Config) -> Path:
    """The folder with them in pytest's cache: fetched once for these locks and this Python.

    To find them in an index costs pip most of what installing them does. Test processes that want
    them at the same moment wait for the one that came first.
    """
    assert config.cache is not None
    kept = config.cache.mkdir("wheels-of-the-locks")
    folder = kept / _known_by()
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            for old in kept.glob("*/"):
                shutil.rmtree(old)
            part = kept / "part"
            part.mkdir()
            _fetch(part)
            part.rename(folder)
    return folder


def _known_by() -> str:
    told = [sys.implementation.cache_tag, sysconfig.get_platform()]
    told += [path.read_text(encoding="utf-8") for path in LOCKS]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _fetch(folder: Path) -> None:
    """From wherever this machine's pip looks."""
    environ = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environ.pop("PIP_REQUIRE_HASHES", None)
    locks = [word for path in LOCKS for word in ("--requirement", str(path))]
    words = [*pip_of_this_machine(), "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run(
        [*words, "--require-hashes", "--dest", str(folder), *locks],
        check=False,
        env=environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
