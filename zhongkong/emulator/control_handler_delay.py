"""The control calls that make an account's own handler slow, by telling it so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web
from pydantic import Field

from zhongkong.emulator.callbacks.deliveries import Undelivered
from zhongkong.emulator.control_bodies import Body
from zhongkong.emulator.control_io import Answer, BadCall, read_body
from zhongkong.emulator.slow_handler import LONGEST_DELAY_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.callbacks.postman import Postman
    from zhongkong.emulator.slow_handler import SlowHandler

HANDLER_DELAY: Final = "/accounts/{appid}/handler-delay"
ANSWER_WITHIN_S: Final = 3.0


class DelayWish(Body):
    """Body of PUT handler-delay, towards the emulator and from it to the handler."""

    delay_s: float = Field(ge=0, le=LONGEST_DELAY_S, allow_inf_nan=False, strict=True)


class HandlerDelays:
    """One method a call. `account` finds the one that a call names, or raises BadCall."""

    def __init__(self, postman: Postman, account: Callable[[str], AccountState]) -> None:
        self._postman = postman
        self._account = account
        # What was told last is what holds: two calls don't overtake each other.
        self._turn = asyncio.Lock()
        self.calls: dict[tuple[str, str], Callable[[web.Request], Awaitable[Answer]]] = {
            (hdrs.METH_GET, HANDLER_DELAY): self.delay,
            (hdrs.METH_PUT, HANDLER_DELAY): self.put_delay,
        }

    async def delay(self, http: web.Request) -> Answer:
        return {"delay_s": self._asked(http).delay_s}

    async def put_delay(self, http: web.Request) -> Answer:
        handler = self._asked(http)
        wish = await read_body(http, DelayWish)
        async with self._turn:
            problem = await self._tell(handler, wish.delay_s)
        if problem is not None:
            raise BadCall(
                f"the handler was not reached, its delay stays as it was: {problem}; "
                f"slow_handler.url is {handler.url}",
                502,
            )
        return {"delay_s": handler.delay_s}

    async def forget(self, accounts: Iterable[AccountState]) -> None:
        """Make the handlers of these accounts quick again; one that can't be reached stays."""
        async with self._turn:
            for account in accounts:
                handler = account.slow_handler
                if handler is not None and handler.delay_s:
                    await self._tell(handler, 0.0)

    async def _tell(self, handler: SlowHandler, delay_s: float) -> str | None:
        """None when the handler took it, else what went wrong. May be repeated."""
        body = DelayWish(delay_s=delay_s).model_dump_json().encode()
        delivery = await self._postman.put(handler.url, body, deadline_s=ANSWER_WITHIN_S)
        if isinstance(delivery, Undelivered):
            return delivery.detail
        if not 200 <= delivery.status < 300:
            return f"it answered {delivery.status} where 2xx is right"
        handler.delay_s = delay_s
        return None

    def _asked(self, http: web.Request) -> SlowHandler:
        account = self._account(http.match_info["appid"])
        if account.slow_handler is None:
            raise BadCall(
                f"{account.appid} has no slow_handler; the configuration file names its url", 404
            )
        return account.slow_handler
