"""The desired files on disk: read all at once, and looked at again and again.

A change is taken over when it has stood still for one look, so that a file is not read while it is
being written. What is in the files is desired's business.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from glob import glob
from typing import TYPE_CHECKING, Final

from menu_worker.desired import (
    FILES_AT_MOST,
    Desired,
    DesiredRefused,
    LoadedMenus,
    load_all,
    load_file,
)
from menu_worker.findings import Violation
from zhongkong.runtime.settings.files import FileTrouble, Stamp, stamp_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from zhongkong.runtime.clock import Clock

LOOK_EVERY_S: Final = 2.0

_Signature = tuple[tuple[str, Stamp | None], ...]


@dataclass(frozen=True, slots=True)
class MenuFiles:
    """Which files hold the desired menus, and whose they are where they don't say so."""

    patterns: tuple[str, ...]
    base: Path
    account: str | None = None

    def load(self) -> LoadedMenus:
        """Read them all. Blocking; may be repeated."""
        found = load_all(self.patterns, self.base)
        return found if self.account is None else _with_default(found, self.account)

    def signature(self) -> _Signature:
        """Two equal ones mean: most likely the same content. Blocking, but reads no file.

        Links are followed, so the swapped `..data` of a Kubernetes volume is a change.
        """
        paths = {
            self.base / name
            for pattern in self.patterns
            for name in glob(pattern, root_dir=self.base, recursive=True)  # noqa: PTH207 - as desired does
        }
        return tuple((str(path), _stamp(path)) for path in sorted(paths)[:FILES_AT_MOST])


class MenuWatcher:
    """Hands over what the files hold, at first and after each change. Somebody has to `run` it."""

    def __init__(
        self,
        files: MenuFiles,
        clock: Clock,
        on_change: Callable[[LoadedMenus], Awaitable[None] | None],
    ) -> None:
        """`on_change` runs on the loop."""
        self._files = files
        self._clock = clock
        self._on_change = on_change
        self._loaded: _Signature | None = None
        self._seen: _Signature | None = None
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Look once; what has changed since the look before may still be changing."""
        async with self._one_at_a_time:
            before = self._seen
            self._seen = await asyncio.to_thread(self._files.signature)
            if self._seen != self._loaded and self._seen == before:
                await self._load(self._seen)

    async def look_now(self) -> None:
        """Take over what is there now: at the start, and when a person asks."""
        async with self._one_at_a_time:
            self._seen = await asyncio.to_thread(self._files.signature)
            if self._seen != self._loaded:
                await self._load(self._seen)

    async def _load(self, signature: _Signature) -> None:
        # The signature is the older of the two: what changes in between is seen by the next look.
        loaded = await asyncio.to_thread(self._files.load)
        outcome = self._on_change(loaded)
        if outcome is not None:
            await outcome
        self._loaded = signature


def _stamp(path: Path) -> Stamp | None:
    try:
        return stamp_of(path)
    except FileTrouble:
        return None


def _with_default(found: LoadedMenus, account: str) -> LoadedMenus:
    """The same, with the files that name no account taken as those of `account`."""
    named = {path for paths in found.unusable.values() for path in paths}
    again: dict[Path, Desired | DesiredRefused] = {}
    for path in found.refused:
        if path not in named:
            again[path] = _judged(path, account)
    theirs = [path for path, each in again.items() if each.account == account]
    if not theirs:
        return found
    desired, refused = dict(found.desired), dict(found.refused)
    if account in desired:
        theirs.append(desired.pop(account).file)
    theirs += found.unusable.get(account, ())
    for path, each in again.items():
        refused[path] = each.violations if isinstance(each, DesiredRefused) else ()
    if len(theirs) > 1:
        for path in theirs:
            refused[path] = (*refused.get(path, ()), _one_of(path, theirs, account))
    only = again.get(theirs[0])
    if len(theirs) == 1 and isinstance(only, Desired):
        desired[account] = only
        del refused[only.file]
    unusable = dict(found.unusable)
    if account not in desired:
        unusable[account] = tuple(theirs)
    return LoadedMenus(desired, refused, unusable, found.unmatched)


def _judged(path: Path, account: str) -> Desired | DesiredRefused:
    try:
        return load_file(path, account)
    except DesiredRefused as refused:
        return refused


def _one_of(path: Path, paths: Sequence[Path], account: str) -> Violation:
    others = ", ".join(str(other) for other in paths if other != path)
    return Violation(path, 1, 1, f"the account {account} has another file too: {others}; keep one")
