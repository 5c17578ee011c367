"""What goes on beside the deliveries: disabled, unclaimed and recovered targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from callback_gateway.delivery.unclaimed import bury_unclaimed
from callback_gateway.delivery.waits import set_within
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from asyncio import Event
    from collections.abc import Callable

    from callback_gateway.delivery.disabled import Disabled
    from callback_gateway.delivery.parts import Parts
    from callback_gateway.delivery.recovery import Recoveries
    from callback_gateway.inbox.base import Inbox

REFRESH_S: Final = 5.0
_SWEEP_EVERY: Final = 12
"""Refreshes: unclaimed deliveries are looked for once a minute."""

log = get_logger()


async def look_after_targets(
    parts: Parts, disabled: Disabled, recoveries: Recoveries, ended: Event
) -> None:
    """See now and then which targets are disabled, and what is due for targets that are gone."""
    refreshes = 0
    while not await set_within(ended, REFRESH_S):
        await disabled.refresh()
        refreshes += 1
        if refreshes % _SWEEP_EVERY == 0:
            recoveries.keep(frozenset(parts.targets()))
            await bury_unclaimed(parts)


async def hasten_retries(inbox: Inbox, target: str, wake: Callable[[], None]) -> None:
    """A target takes deliveries again: what waits for it needn't wait longer."""
    log.info("target_recovered", target=target)
    try:
        if await inbox.hasten(target):
            wake()
    except StoreUnavailable as problem:
        log.debug("retries_not_hastened", target=target, why=str(problem))
