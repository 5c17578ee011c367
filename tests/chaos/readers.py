"""Readers that ask all the time, what they got, and what the ledger says about it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp

from tests.chaos.deployment import Account
from tests.chaos.emulated import WeChat
from tests.chaos.patience import eventually
from tests.chaos.replica import Replica
from zhongkong.runtime.clock import SystemClock

_READERS = 2
PAUSE_S = 0.02
_CLOCK = SystemClock()


@dataclass(frozen=True)
class Read:
    """One answer. `asked_at`, `at`: when it was wanted and when it was there, Unix seconds."""

    asked_at: float
    at: float
    replica: int
    account: str
    status: int
    version: str
    value: str = field(repr=False)


class Load:
    """For each replica and account a few readers. `unanswered` holds what was no HTTP answer."""

    def __init__(
        self,
        replicas: Sequence[Replica],
        accounts: Sequence[Account],
        *,
        query: str = "",
        pause_s: float = PAUSE_S,
    ) -> None:
        """Each reader asks with `query`, and again `pause_s` after each answer."""
        self._query = query
        self._pause_s = pause_s
        self._pairs = [(number, one) for number, one in enumerate(replicas)]
        self.accounts = accounts
        self._tasks: list[asyncio.Task[None]] = []
        self.reads: list[Read] = []
        self.unanswered: list[str] = []

    async def __aenter__(self) -> Self:
        for number, replica in self._pairs:
            for account in self.accounts:
                for _ in range(_READERS):
                    work = self._read_on(number, replica, account.name)
                    self._tasks.append(asyncio.create_task(work))
        await self.go_on(1)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def go_on(self, times: int = 20) -> None:
        """Until each replica has answered so many times more for each account."""
        mark = len(self.reads)
        wanted = {(number, account.name) for number, _ in self._pairs for account in self.accounts}

        async def enough() -> bool:
            answers = [(read.replica, read.account) for read in self.reads[mark:]]
            return all(answers.count(each) >= times for each in wanted)

        await eventually(enough, f"all replicas answered {times} times more")

    def versions(self, account: Account) -> set[str]:
        return {read.version for read in self.reads if read.account == account.name}

    @property
    def refusals(self) -> list[Read]:
        return [read for read in self.reads if read.status != 200]

    async def handed_out_dead(self, wechat: WeChat, *, since: float = 0.0) -> list[Read]:
        """The answers whose token had ended, or never was, when they came: the ledger's word.

        Of those only that were asked for after `since`.
        """
        ends = {value: await wechat.ends_at(value) for value in {r.value for r in self.reads}}
        given = [read for read in self.reads if read.status == 200 and read.asked_at > since]
        return [read for read in given if read.at > ends[read.value]]

    async def _read_on(self, number: int, replica: Replica, account: str) -> None:
        while True:
            asked_at = _CLOCK.now()
            try:
                answer = await replica.get(account, self._query)
            except aiohttp.ClientError as error:
                self.unanswered.append(f"{type(error).__name__}: {error}")
            else:
                found = (answer.version, answer.value) if answer.status == 200 else ("", "")
                self.reads.append(
                    Read(asked_at, _CLOCK.now(), number, account, answer.status, *found)
                )
            await asyncio.sleep(self._pause_s)
