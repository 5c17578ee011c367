"""Targets that answered 410: they get no more copies until their url or secret changes.

`callback-gateway` can enable one again; that is read from the inbox every few seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callback_gateway.inbox.base import Inbox
    from callback_gateway.targets import Target

log = get_logger()


class Disabled:
    """What is known here of the disabled targets."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._known: Mapping[str, str] = {}
        self._untold: dict[str, str] = {}
        """What the inbox hasn't been told yet."""

    def holds(self, target: Target) -> bool:
        """Whether this target, as configured now, asked for no more."""
        name, fingerprint = target.name, target.fingerprint
        return fingerprint in {self._untold.get(name), self._known.get(name)}

    async def add(self, target: Target) -> None:
        """Disable it; when the inbox can't be told, later."""
        if self.holds(target):
            return
        self._untold[target.name] = target.fingerprint
        log.error(
            "target_disabled",
            target=target.name,
            why="it answered 410",
            effect="its deliveries become dead letters until it is enabled or configured anew",
        )
        await self.refresh()

    async def refresh(self) -> None:
        """Tell the inbox and ask it; without an answer, what is known stays."""
        try:
            for name, fingerprint in list(self._untold.items()):
                await self._inbox.disable(name, fingerprint)
                self._known = {**self._known, name: fingerprint}
                self._untold.pop(name, None)
            self._known = await self._inbox.disabled()
        except StoreUnavailable as problem:
            log.debug("disabled_targets_unread", why=str(problem))
