"""One pass with an end: it is cut off after a while, and what it can't do is a result, too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from menu_worker.quota import QuotaSpent
from menu_worker.results import Failed, Unavailable, Untouched
from menu_worker.store.codec import DocumentTooLarge
from token_service.client import TokenServiceError
from zhongkong.runtime.storage import StoreUnavailable
from zhongkong.wechat.errors import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from menu_worker.desired import Desired
    from menu_worker.reconciler import Reconciler
    from menu_worker.results import Result

LONGEST_S: Final = 300.0
"""Of one pass over one account. What it had begun by then is resumed by the next one."""

NOT_TO_BE_ASKED: Final = (UpstreamError, TokenServiceError, QuotaSpent, StoreUnavailable)
"""What a pass can end with before it has an outcome of its own."""


async def ended(running: Awaitable[Result], *, within_s: float = LONGEST_S) -> Result:
    """The result of a pass, whatever it ends with."""
    try:
        async with asyncio.timeout(within_s):
            return await running
    except TimeoutError:
        return Failed(f"not done within {within_s:g} s; the next pass goes on with what is left")
    except NOT_TO_BE_ASKED as trouble:
        return Unavailable(str(trouble))
    except DocumentTooLarge as trouble:
        return Failed(str(trouble), resumes=False)


async def untouched(
    reconciler: Reconciler, why: str, last_good: Desired | None, *, thorough: bool
) -> Result:
    """A pass over an account whose file can't be used: it reads and compares, and never writes."""
    if last_good is None:
        return Untouched(why)
    plan, _ = await reconciler.plan(last_good, thorough=thorough)
    return Untouched(why, matches=plan.is_empty)
