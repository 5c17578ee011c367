"""WeChat sending all the time: a bulk of pushes each second, begun whether or not others ended."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from tests.chaos.emulated import WeChat
from tests.chaos.gateway.asking import in_time
from tests.chaos.gateway.reckoning import Sent, sent_of

RATE = 40
"""Pushes a second: moderate, for several deployments share one machine."""
_EVERY_S = 1.0
_USERS = 40
_CONCURRENCY = 256
_END_S = 60.0
_PAGE = 10_000


class Load:
    """`answers` and `statuses` count the tries of all bulks that have ended."""

    def __init__(
        self,
        wechat: WeChat,
        appid: str,
        text: str,
        *,
        course: Mapping[str, Any],
        rate: int = RATE,
    ) -> None:
        """`text` begins every message; a number follows. `course` as the emulator takes it."""
        self._wechat = wechat
        self._appid = appid
        self._push = {"text": f"{text} {{n}}", "course": dict(course)}
        self._rate = rate
        self._open: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._enough = asyncio.Event()
        self.answers: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """No more; all that was begun comes to its end."""
        assert self._task is not None
        self._enough.set()
        await self._task
        if kind is None:
            await self.settled()

    async def settled(self) -> None:
        """Until every push that was begun by now has had its last try."""
        begun = set(self._open)

        async def over() -> bool:
            await self._look_at(begun & self._open)
            return not begun & self._open

        await in_time(over, "all pushes came to their end", within_s=_END_S)

    async def sent(self) -> list[Sent]:
        """Every push of the account by the emulator's own books, once none is under way."""

        async def over() -> list[dict[str, Any]] | None:
            rows = await self._rows()
            return rows if all(row["ok"] is not None for row in rows) else None

        return [sent_of(row) for row in await in_time(over, "no push is under way")]

    async def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        after = 0
        while True:
            query = f"?appid={self._appid}&after={after}&count={_PAGE}"
            page = await self._wechat.control("GET", f"/reconciliation{query}")
            assert page["forgotten"] == 0
            rows += page["pushes"]
            after = page["next"]
            if not page["left_off"]:
                return rows

    async def notices(self) -> int:
        """How often a user saw that the account can't serve now, in the emulator's judgement."""
        seen: int = 0
        after = 0
        while True:
            query = f"?appid={self._appid}&after={after}&count={_PAGE}"
            page = await self._wechat.control("GET", f"/callbacks{query}")
            assert page["forgotten"] == 0
            seen += sum(each["seen"] == "banner" for each in page["callbacks"])
            after = page["next"]
            if not page["left_off"]:
                return seen

    async def _go_on(self) -> None:
        wish = {
            "push": self._push,
            "count": round(self._rate * _EVERY_S),
            "users": _USERS,
            "rate_per_s": self._rate,
            "concurrency": _CONCURRENCY,
        }
        while not self._enough.is_set():
            answer = await self._wechat.control(
                "POST", f"/accounts/{self._appid}/pushes/bulk", wish
            )
            self._open.add(answer["id"])
            with suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._enough.wait()
            # The emulator remembers a hundred bulks.
            await self._look_at(self._open)

    async def _look_at(self, bulks: set[str]) -> None:
        for bulk in list(bulks):
            told = await self._wechat.control("GET", f"/bulks/{bulk}")
            if told["state"] != "running" and bulk in self._open:
                assert told["state"] == "done", told
                self._open.remove(bulk)
                self.answers.update(told["answers"])
                self.statuses.update(told["statuses"])
