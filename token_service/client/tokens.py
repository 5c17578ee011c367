"""The client itself: tokens from memory, and calls through the service."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from token_service.client.current import CurrentToken
from token_service.client.errors import UnknownAccount
from token_service.client.key import FixedKey, Key, KeyFile
from token_service.client.link import Link, origin_of
from token_service.client.requests import Requests
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.names import is_name

if TYPE_CHECKING:
    import os
    from collections.abc import Coroutine, Mapping
    from types import TracebackType

    import aiohttp

    from token_service.client.held import HeldToken
    from zhongkong.runtime.clock import Clock, Randomness

_CALL_S: Final = 30.0
_ACCESS_TOKEN: Final = "access_token"
_Place = str | tuple[str, str]
"""An account and a kind; the account alone for the usual kind, which a hit shall not pay for."""

log = logging.getLogger("token_service.client")


class TokenClient:
    """Gives an application its tokens, and serves what it holds while the service is away.

        async with TokenClient("http://token-service:8081", key_file="/run/secrets/key") as tokens:
            token = await tokens.get("shop")

    One per process and event loop; safe for concurrent use. A `key_file` is read again when it
    changes; the `key` is what the service was configured with for this client. Raises ValueError
    for a URL or a key that can't be one, and on entering KeyUnreadable. Tokens are refreshed in the
    background while they are in use. A synchronous twin and watching come as classes and parameters
    of their own.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: str | None = None,
        key_file: str | os.PathLike[str] | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        self._base_url = origin_of(base_url)
        self._clock = clock or SystemClock()
        self._randomness = randomness or SystemRandomness()
        self._key = _key(key, key_file, self._clock)
        self._link: Link | None = None
        self._requests: Requests | None = None
        self._tokens: dict[_Place, CurrentToken] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        # What a hit needs, and nothing else.
        self._ready: dict[_Place, HeldToken] = {}
        self._now = self._clock.now

    async def __aenter__(self) -> Self:
        await self._key.load()
        self._link = Link(self._base_url)
        self._requests = Requests(self._link, self._key, self._clock, self._randomness)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"TokenClient({self._base_url})"

    async def close(self) -> None:
        """End what runs in the background, and close all connections. May be repeated."""
        link, self._link, self._requests = self._link, None, None
        self._ready.clear()
        self._tokens.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if link is not None:
            await link.close()

    async def get(self, account: str, kind: str = _ACCESS_TOKEN) -> str:
        """The live token. A hit costs no I/O; the first call for an account asks the service.

        While the service is away, or has none, the token held is given until its end. Raises
        TokenUnavailable, ServiceBusy and ServiceUnreachable, which pass, and NotAllowed and
        UnknownAccount, which don't. May be repeated; within `retry_after_s` a repetition gets the
        same answer without asking.
        """
        held = self._ready.get(account if kind == _ACCESS_TOKEN else (account, kind))
        # The end by the monotonic clock is watched by whoever put it there: one reading is enough.
        if held is not None and self._now() < held.expires_at:
            return held.value
        try:
            held = await self._token(account, kind).get()
        except UnknownAccount:
            self._tokens.pop(_place(account, kind), None)
            raise
        return self._hand_over(account, kind, held)

    async def rejected(
        self,
        account: str,
        *,
        errcode: int,
        kind: str = _ACCESS_TOKEN,
        value: str | None = None,
        version: str | None = None,
    ) -> str:
        """Report that WeChat refused a token with 40001, 40014 or 42001; the one to retry with.

        Say which: its `value` or its `version`. Without either, the one given out last is meant,
        which in concurrent code may be newer than the refused one. One that was replaced already
        costs no request; otherwise the service judges, and it may give the same one again, when
        that is alive and the call was refused for another reason. So retry once, never in a loop.
        Raises as `get`; may be repeated.
        """
        held = await self._token(account, kind).rejected(errcode, value, version)
        return self._hand_over(account, kind, held)

    async def call(
        self,
        account: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: bytes | str | aiohttp.FormData | None = None,
        timeout_s: float = _CALL_S,
    ) -> dict[str, Any]:
        """Call WeChat's API through the service, which puts the token in; WeChat's JSON object.

        `path` is WeChat's (`/cgi-bin/menu/get`); give `json` or `data`. For answers that are JSON
        objects alone, up to 8 MiB: media are not for this method. Nothing is repeated here, and the
        service repeats only what a dead token prevented. Raises the WeChatErrors of
        zhongkong.wechat.errors for an errcode other than 0, OutcomeUnknown when WeChat may have
        carried the call out; a TokenServiceError means that it did not.
        """
        if json is not None and data is not None:
            raise ValueError("give json or data, not both")
        _check_names(account)
        return await self._opened().call(
            account, method, path, params=params, payload=json, data=data, within_s=timeout_s
        )

    def _hand_over(self, account: str, kind: str, held: HeldToken) -> str:
        if self._requests is not None:
            self._ready[_place(account, kind)] = held
        return held.value

    def _token(self, account: str, kind: str) -> CurrentToken:
        place = _place(account, kind)
        token = self._tokens.get(place)
        if token is None:
            _check_names(account, kind)
            token = self._tokens[place] = CurrentToken(
                self._opened(),
                account,
                kind,
                clock=self._clock,
                randomness=self._randomness,
                spawn=self._spawn,
                withdraw=partial(self._withdraw, place),
            )
        return token

    def _withdraw(self, place: _Place) -> None:
        self._ready.pop(place, None)

    def _opened(self) -> Requests:
        if self._requests is None:
            raise RuntimeError("the client is not open: use it inside `async with`")
        return self._requests

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        if self._requests is None:
            work.close()
            raise RuntimeError("the client was closed")
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """Look at every error, so that one whose waiters left is no warning of asyncio's."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.debug("a request for a token failed: %s", error)


def _place(account: str, kind: str) -> _Place:
    return account if kind == _ACCESS_TOKEN else (account, kind)


def _key(key: str | None, key_file: str | os.PathLike[str] | None, clock: Clock) -> Key:
    if key is not None and key_file is None:
        return FixedKey(key)
    if key_file is not None and key is None:
        return KeyFile(Path(key_file), clock)
    raise ValueError("a token client takes either key or key_file")


def _check_names(*names: str) -> None:
    if not all(map(is_name, names)):
        raise ValueError("accounts and kinds are named with letters, digits and . _ -")
