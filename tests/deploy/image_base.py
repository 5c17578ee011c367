"""A folder that stands in for the image's base: a Python, a shell and little else.

All of it comes from this machine, so no registry and no container engine is needed. It is less
than the real base holds: what works on it finds everything it needs there, too.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

PROGRAMS: Final = ("groupadd", "install", "sh", "useradd")
"""Those that the recipe's RUN lines start; every Debian has them."""
LIBRARIES: Final = (
    *("libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "librt.so.1"),
    *("libstdc++.so.6", "libutil.so.1"),
)
"""What wheels may ask a system for. Debian's smallest image has them; more it need not have."""
LIBC: Final = "libc.so.6"
DEVICES: Final = {"null": 3, "zero": 5, "random": 8, "urandom": 9}
_SBIN: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LEFT_OUT: Final = shutil.ignore_patterns(
    *("EXTERNALLY-MANAGED", "config-*", "dist-packages", "ensurepip", "idlelib", "lib2to3"),
    *("site-packages", "test", "tests", "tkinter", "turtledemo", "*.opt-1.pyc", "*.opt-2.pyc"),
)
_LIBRARY: Final = re.compile(r"(?:=> )?(/\S+) \(0x")
_FILES: Final = {
    "etc/group": "root:x:0:\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
}


def make_base(root: Path) -> None:
    """Fill an empty folder. Needs to be root, for the devices and for who owns what."""
    root.chmod(0o755)
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for name in ("dev", "etc", "home", "proc", "root", "run", "tmp", "var/lib", "var/log"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for name, text in _FILES.items():
        (root / name).write_text(text, encoding="utf-8")
    for name, minor in DEVICES.items():
        _make_device(root / "dev" / name, minor)
    _copy_python(root)
    for name in PROGRAMS:
        found = shutil.which(name, path=_SBIN)
        assert found is not None, f"this machine has no {name}"
        copy_into(root, Path(found).parent.resolve() / name)
    copy_libraries(root, _programs_and_modules(root))
    for path in _libraries_of_the_system():
        copy_into(root, path)


def pip_of_this_machine() -> list[str]:
    """The words that start pip for this Python: its own, or that of the interpreter below."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    return [str(_interpreter()), "-m", "pip", "--python", sys.executable]


def package_of_pip() -> Path:
    """Where this machine has pip: in the tests' environment, or with the interpreter below it."""
    spec = importlib.util.find_spec("pip")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent
    stdlib = Path(sysconfig.get_path("stdlib"))
    places = (stdlib / "site-packages/pip", Path("/usr/lib/python3/dist-packages/pip"))
    found = next((place for place in places if place.is_dir()), None)
    assert found is not None, "no pip was found: install python3-pip"
    return found


def copy_into(root: Path, path: Path) -> None:
    """Copy a file of this machine to the same place below `root`."""
    target = root / path.relative_to("/")
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)


def copy_libraries(root: Path, files: Iterable[Path]) -> None:
    """Copy the shared libraries that these files need."""
    for path in sorted(needed_libraries(files)):
        copy_into(root, path)


def needed_libraries(files: Iterable[Path]) -> set[Path]:
    """Where this machine's loader finds what these files need."""
    listed = subprocess.run(
        ["ldd", *map(str, files)], check=False, capture_output=True, text=True
    ).stdout
    return {Path(path) for path in _LIBRARY.findall(listed)}


def _libraries_of_the_system() -> list[Path]:
    """Those of LIBRARIES that lie where the interpreter finds its C library."""
    [folder] = {path.parent for path in needed_libraries([_interpreter()]) if path.name == LIBC}
    places = {name: (folder / name, Path("/usr/lib") / folder.name / name) for name in LIBRARIES}
    found = (next((path for path in pair if path.exists()), None) for pair in places.values())
    return [path for path in found if path is not None]


def _interpreter() -> Path:
    """The one below the tests' environment."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def _programs_and_modules(root: Path) -> list[Path]:
    files = (root / "usr").rglob("*")
    return [path for path in files if path.is_file() and _is_elf(path)]


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _make_device(path: Path, minor: int) -> None:
    """A device; where none may be made or used, an empty file, which does for what we run."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        os.close(os.open(path, os.O_RDWR))
    except PermissionError:
        with suppress(FileNotFoundError):
            path.unlink()
        path.touch()
    path.chmod(0o666)


def _copy_python(root: Path) -> None:
    """The interpreter below that runs the tests, with its library, pip, and nothing installed."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    binary = root / "usr/local/bin" / name
    library = root / "usr/local/lib" / name
    binary.parent.mkdir(parents=True)
    shutil.copy2(_interpreter(), binary)
    for short in ("python", "python3"):
        (binary.parent / short).symlink_to(name)
    source = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(source, library, symlinks=False, ignore=_LEFT_OUT)
    shutil.copytree(package_of_pip(), library / "pip")
    for path in needed_libraries([_interpreter()]):
        copy_into(root, path)
