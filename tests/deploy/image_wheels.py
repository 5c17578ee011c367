"""The wheels that the image's locks name, in a folder: what plays the package index."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

from tests.deploy.image_base import pip_of_this_machine

ROOT: Final = Path(__file__).resolve().parents[2]
LOCKS: Final = tuple(ROOT / "requirements" / name for name in ("build.txt", "runtime.txt"))


def wheels_of_the_locks(kept: Path) -> Path:
    """The folder with them in `kept`: fetched once for these locks and this Python.

    To find them in an index costs pip most of what building the image does.
    """
    folder = kept / _known_by()
    if not folder.is_dir():
        shutil.rmtree(kept)
        part = kept / "part"
        part.mkdir(parents=True)
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
