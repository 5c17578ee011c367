"""Menu calls count against a daily quota of the account; a loop never spends the last of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from menu_worker import platform
from zhongkong.wechat.limits import REAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from menu_worker.store.base import MenuStore
    from zhongkong.wechat.limits import DailyQuotas

RESERVE: Final = 0.2
"""The share of each quota that only a person's command may use."""


class QuotaSpent(Exception):
    """No more calls of this kind today (UTC+8)."""


def limits(quotas: DailyQuotas = REAL) -> Mapping[str, int]:
    """Calls a day by path. Where WeChat publishes none, the most careful of its figures."""
    unpublished = quotas.menu_create
    return MappingProxyType(
        {
            platform.GET: quotas.menu_get,
            platform.SHOWN: quotas.menu_get,
            platform.CREATE: quotas.menu_create,
            platform.DELETE: quotas.menu_delete,
            platform.ADD_CONDITIONAL: quotas.conditional_menu_add or unpublished,
            platform.DELETE_CONDITIONAL: quotas.conditional_menu_delete or unpublished,
            platform.TRY_MATCH: quotas.conditional_menu_trymatch or unpublished,
        }
    )


class Quota:
    """Counts the calls of one account, for all workers on one store."""

    def __init__(
        self, store: MenuStore, account: str, allowed: Mapping[str, int], *, reserve: float
    ) -> None:
        """`reserve`: the share that is left alone; 0 for what a person asks for."""
        self._store = store
        self._account = account
        self._allowed = {path: int(limit * (1 - reserve)) for path, limit in allowed.items()}

    async def spend(self, path: str) -> None:
        """Count one call before it is made. Raises QuotaSpent and StoreUnavailable."""
        limit = self._allowed[path]
        if not await self._store.spend(self._account, path, limit):
            raise QuotaSpent(
                f"{path} was called {limit} times today for {self._account}; WeChat's counters "
                "are reset at midnight (UTC+8). `menu-worker apply` may use the rest"
            )

    async def left(self) -> dict[str, int]:
        """Calls left today by path, for status and metrics."""
        spent = await self._store.spent(self._account)
        return {path: limit - spent.get(path, 0) for path, limit in self._allowed.items()}
