"""Forgetting what an inbox need not keep any longer, a little at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from callback_gateway.inbox.base import Inbox
    from zhongkong.runtime.clock import Clock

PURGE_EVERY_S: Final = 30.0
BATCH: Final = 500
_BETWEEN_BATCHES_S: Final = 0.05
"""Callbacks come before housekeeping."""

log = get_logger()


async def keep_purged(inbox: Inbox, clock: Clock) -> None:
    """Purge in every interval, until cancelled. A store that is away is tried again."""
    while True:
        await clock.sleep(PURGE_EVERY_S)
        try:
            while await inbox.purge(limit=BATCH) == BATCH:
                await clock.sleep(_BETWEEN_BATCHES_S)
        except StoreUnavailable as trouble:
            log.debug("inbox_not_purged", why=str(trouble))
