"""The local world's folder: its lock, what stays in it, and the files made anew at each start.

Every file is for its owner alone, and is either the old one or the new one, never half of it.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from importlib.resources import files as packaged
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zhongkong.local_world import configurations, names
from zhongkong.local_world.kept import keep
from zhongkong.local_world.real import APPID_FORM
from zhongkong.runtime.startup import CannotStart
from zhongkong.runtime.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zhongkong.local_world.plan import RealWeChat
    from zhongkong.runtime.clock import Randomness

_LOCK: Final = "world.lock"
_IN_THE_WAY: Final = frozenset(
    {errno.EISDIR, errno.EEXIST, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP}
)
"""What concerns one path, and is over when that is gone."""


def default(base: int, *, emulated: bool) -> Path:
    """Where a world lives that was told no other place."""
    return Path("var", "local", f"{'' if emulated else 'real-'}{base}")


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


def prepare(
    folder: Path, base: int, randomness: Randomness, real: RealWeChat | None = None
) -> Path | None:
    """Write keys where there are none, and the configuration. The desired menu, if there is one.

    Raises CannotStart. What the services remember of an emulated WeChat is removed, since it
    forgets its tokens and menus when it stops: a stored token would be dead, and a menu that was
    verified would count as taken away by somebody. Of a real one everything is kept.
    """
    try:
        _require_same_account(folder, real)
        secrets = keep(folder, randomness, app_secret=real is None)
        for name, text in configurations.files(base, secrets, real).items():
            write_whole(folder / name, text.encode())
        if real is None:
            _forget(folder)
        return _menu(folder, sample=real is None)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _require_same_account(folder: Path, real: RealWeChat | None) -> None:
    """Tokens, menus and their history must never reach another account than their own."""
    mine = names.EMULATED if real is None else real.appid
    path = folder / names.OWNER
    try:
        owner = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        owner = ""
    if owner in {"", mine}:
        write_whole(path, f"{mine}\n".encode())
        return
    ours = "the emulated one" if real is None else mine
    if not APPID_FORM.fullmatch(owner):
        raise CannotStart(
            f"{path} names no account; remove it if the menu and the stores beside it are those "
            f"of {ours}, or name another place with --folder"
        )
    whose = "an emulated WeChat" if owner == names.EMULATED else f"the account {owner}"
    raise CannotStart(
        f"{folder} holds the menu and the stores of {whose}; --folder names another place for "
        f"{ours}"
    )


def _forget(folder: Path) -> None:
    for store in (names.STORE, names.MENU_STORE):
        for suffix in ("", "-wal", "-shm"):
            (folder / f"{store}{suffix}").unlink(missing_ok=True)


def _menu(folder: Path, *, sample: bool) -> Path | None:
    """The first desired menu; `sample` puts one there when none is."""
    (folder / names.MENUS).mkdir(mode=0o700, exist_ok=True)
    if found := sorted(path for path in folder.glob(names.MENU_PATTERN) if path.is_file()):
        return found[0]
    if not sample:
        return None
    source = packaged(__package__).joinpath("shop.yaml")
    write_whole(folder / names.MENU, source.read_bytes())
    return folder / names.MENU


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


def _unwritable(folder: Path, error: OSError) -> CannotStart:
    """Says which file it is about."""
    path = error.filename or folder
    mended = "move it away, or " if error.errno in _IN_THE_WAY else ""
    return CannotStart(
        f"{path} can't be used for the local world's files ({error.strerror or error}); "
        f"{mended}name another place with --folder"
    )
