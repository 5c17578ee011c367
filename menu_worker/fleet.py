"""All accounts over one store and one way to WeChat: what acts on a single one is made here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from menu_worker.platform import WeChatMenus
from menu_worker.quota import RESERVE, Quota
from menu_worker.reconciler import Reconciler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from menu_worker.drift import Behaviour
    from menu_worker.guards import Policy
    from menu_worker.platform import Caller
    from menu_worker.steps import ConditionalStrategy
    from menu_worker.store.base import MenuStore
    from zhongkong.runtime.clock import Clock

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Conduct:
    """How this process acts on every account. `actor` stands in the history."""

    instance: str
    actor: str
    policy: Policy
    strategy: ConditionalStrategy
    on_drift: Behaviour
    daily: Mapping[str, int]
    """Calls a day by path."""
    concurrency: int
    by_person: bool = False
    """A person's command may use what a loop must leave of the daily calls."""


class Fleet:
    """Makes reconcilers, and bounds how many accounts are worked on at once."""

    def __init__(self, conduct: Conduct, caller: Caller, store: MenuStore, clock: Clock) -> None:
        self.conduct = conduct
        self.store = store
        self.clock = clock
        self._caller = caller
        self.gate = asyncio.Semaphore(conduct.concurrency)

    def quota(self, account: str) -> Quota:
        """The account's calls of today."""
        reserve = 0.0 if self.conduct.by_person else RESERVE
        return Quota(self.store, account, self.conduct.daily, reserve=reserve)

    def menus(self, account: str) -> WeChatMenus:
        """The account's menu calls."""
        return WeChatMenus(self._caller, account, self.quota(account).spend)

    def reconciler(self, account: str) -> Reconciler:
        """What makes the account's live menu equal to a desired one."""
        conduct = self.conduct
        return Reconciler(
            self.menus(account),
            self.store,
            instance=conduct.instance,
            actor=conduct.actor,
            policy=conduct.policy,
            strategy=conduct.strategy,
            on_drift=conduct.on_drift,
            clock=self.clock,
        )

    async def each(self, keys: Iterable[K], work: Callable[[K], Awaitable[V]]) -> dict[K, V]:
        """Do `work` for all, so many at once as is allowed; in the order of `keys`.

        `work` must turn what can go wrong with one account into its value.
        """

        async def bounded(key: K) -> V:
            async with self.gate:
                return await work(key)

        async with asyncio.TaskGroup() as group:
            tasks = {key: group.create_task(bounded(key)) for key in keys}
        return {key: task.result() for key, task in tasks.items()}
