"""The control calls that push: one message, several, or a load of them.

Reading and answering only; the work is the office's.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from aiohttp import hdrs, web
from pydantic import TypeAdapter

from zhongkong.emulator.callbacks import bodies, views
from zhongkong.emulator.callbacks.bulk import BulkLoad, BulkRun
from zhongkong.emulator.callbacks.messages import PushWish
from zhongkong.emulator.callbacks.office import OfficeFull, Parcel, PostOffice
from zhongkong.emulator.callbacks.reception import PushRefused
from zhongkong.emulator.control_io import Answer, BadCall, checked, read_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.world import World

PUSHES: Final = "/accounts/{appid}/pushes"
_RUNS_HELD: Final = 100


class Pushes:
    """One method a call. `account` finds the one that a call names, or raises BadCall."""

    def __init__(
        self, world: World, office: PostOffice, account: Callable[[str], AccountState]
    ) -> None:
        self._world = world
        self._office = office
        self._account = account
        self._runs: OrderedDict[str, tuple[BulkRun, asyncio.Task[None]]] = OrderedDict()
        self._last_run = 0
        self.calls: dict[tuple[str, str], Callable[[web.Request], Awaitable[Answer]]] = {
            (hdrs.METH_POST, PUSHES): self.push,
            (hdrs.METH_POST, f"{PUSHES}/bulk"): self.bulk,
            (hdrs.METH_GET, "/bulks/{id}"): self.one_bulk,
            (hdrs.METH_DELETE, "/bulks/{id}"): self.stop_bulk,
        }

    # ------------------------------------------------------------------ pushes

    async def push(self, http: web.Request) -> Answer:
        account, wait_s = self._asked(http), _wait_s(http)
        body = await read_body(http, dict[str, Any])
        if "pushes" in body:
            return await self._push_list(account, checked(_LIST.validate_python, body), wait_s)
        wish = checked(_WISH.validate_python, body)
        (parcel,) = self._accepted(account.appid, [wish])
        await _until(self._office.start(parcel), wait_s)
        return views.push(parcel.push)

    async def _push_list(
        self, account: AccountState, several: bodies.PushList, wait_s: float
    ) -> Answer:
        platform = self._world.model.platform
        msg_id = platform.pushes.next_msg_id(self._world.time.now()) if several.one_msg_id else None
        parcels = self._accepted(account.appid, several.pushes, msg_id)
        in_order = list(parcels)
        if several.order == "reversed":
            in_order.reverse()
        elif several.order == "shuffled":
            in_order.sort(key=lambda _: platform.chance.uniform(0, 1))
        await _until(self._office.start_in_turn(in_order, several.gap_s), wait_s)
        return {"pushes": [views.push(each.push) for each in parcels]}

    def _accepted(
        self, appid: str, wishes: Sequence[PushWish], msg_id: int | None = None
    ) -> list[Parcel]:
        try:
            return self._office.send(appid, wishes, msg_id=msg_id)
        except PushRefused as refused:
            raise BadCall(str(refused)) from None
        except OfficeFull as full:
            raise BadCall(str(full), 429) from None

    # ------------------------------------------------------------------ bulks

    async def bulk(self, http: web.Request) -> Answer:
        account, wait_s = self._asked(http), _wait_s(http)
        wish = await read_body(http, bodies.BulkWish)
        self._check(account.appid, wish.push.numbered(0))
        self._last_run += 1
        run = BulkRun(id=f"b{self._last_run}", appid=account.appid, wish=wish)
        load = BulkLoad(run, self._office, self._world.time)
        task = self._office.run(f"bulk {run.id}", load.live())
        self._keep(run, task)
        await _until(task, wait_s)
        return views.bulk(run)

    def _check(self, appid: str, wish: PushWish) -> None:
        try:
            self._office.desk.check(appid, wish, self._world.time.now())
        except PushRefused as refused:
            raise BadCall(str(refused)) from None

    def _keep(self, run: BulkRun, task: asyncio.Task[None]) -> None:
        """The oldest that ended fall out."""
        self._runs[run.id] = (run, task)
        ended = [key for key, (_, work) in self._runs.items() if work.done()]
        for key in ended[: max(0, len(self._runs) - _RUNS_HELD)]:
            del self._runs[key]

    async def one_bulk(self, http: web.Request) -> Answer:
        run, task = self._run(http)
        await _until(task, _wait_s(http))
        return views.bulk(run)

    async def stop_bulk(self, http: web.Request) -> Answer:
        run, task = self._run(http)
        task.cancel()
        await asyncio.wait({task}, timeout=1.0)
        return views.bulk(run)

    def _run(self, http: web.Request) -> tuple[BulkRun, asyncio.Task[None]]:
        found = self._runs.get(http.match_info["id"])
        if found is None:
            raise BadCall(f"no bulk {http.match_info['id']!r}", 404)
        return found

    def _asked(self, http: web.Request) -> AccountState:
        return self._account(http.match_info["appid"])


_LIST: Final = TypeAdapter(bodies.PushList)
_WISH: Final = TypeAdapter(PushWish)


def _wait_s(http: web.Request) -> float:
    return checked(bodies.Waiting.model_validate, dict(http.query)).wait_s


async def _until(work: asyncio.Task[None], wait_s: float) -> None:
    """Wait for its end, at most so long; whoever asks hanging up stops nothing."""
    if wait_s:
        await asyncio.wait({work}, timeout=wait_s)
