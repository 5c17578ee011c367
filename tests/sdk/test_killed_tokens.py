"""The real token dies again and again under SDKs at work, and none of them hears of it.

The ledger of the emulator judges: how many calls for a token there were, and what was done twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.peers import Opener, Peer, SdkError
from tests.sdk.worlds import KEYS, OPENID, SHOP, World, world
from token_service.slot import Mode
from zhongkong.emulator.faults import Fault

KILLS = 50
"""For each SDK and mode: a hundred in all for each mode."""
MENU = {"button": [{"type": "click", "name": "买入", "key": "BUY_IN"}]}
PICTURE = bytes(range(256)) * 64
REFUSING_PATH = "/cgi-bin/user/info"


class Worker:
    """An SDK at work: one call after the other, each a different one, over and over."""

    def __init__(self, it: World, sdk: Peer) -> None:
        self._it = it
        self._sdk = sdk
        self._media_id = ""
        self.done: Counter[str] = Counter()

    def calls(self, count: int) -> Iterable[Callable[[], Awaitable[None]]]:
        """So many of them, not yet made."""
        day = (
            self.create_menu,
            self.get_menu,
            self.upload,
            self.download,
            self.send_text,
            self.delete_menu,
        )
        return islice(cycle(day), count)

    async def create_menu(self) -> None:
        await self._sdk.create_menu(MENU)
        self.done["menu_created"] += 1

    async def get_menu(self) -> None:
        assert (await self._sdk.get_menu())["menu"]["button"][0]["key"] == "BUY_IN"

    async def upload(self) -> None:
        self._media_id = await self._sdk.upload(PICTURE)
        self.done["media_uploaded"] += 1

    async def download(self) -> None:
        assert await self._sdk.download(self._media_id) == PICTURE

    async def send_text(self) -> None:
        self._it.user_writes()
        await self._sdk.send_text(OPENID, "您好")
        self.done["message_sent"] += 1

    async def delete_menu(self) -> None:
        await self._sdk.delete_menu()
        self.done["menu_deleted"] += 1


def effects(it: World) -> dict[str, int]:
    """What WeChat did, by its own count."""
    return {what: count for (appid, what), count in it.ledger.effect_counts.items() if count}


@pytest.mark.parametrize("mode", list(Mode))
async def test_each_kill_costs_one_token_call_and_no_call_of_an_sdk(
    tmp_path: Path, opened: Opener, mode: Mode
) -> None:
    async with (
        world(tmp_path, mode=mode) as it,
        opened(it.base_url, SHOP.appid, KEYS["orders"]) as sdk,
    ):
        await sdk.fetch_token()
        first, worker = it.token_calls, Worker(it, sdk)
        for call in worker.calls(KILLS):
            it.kill()
            await call()
        assert first == 1
        assert it.token_calls - first == KILLS
        assert effects(it) == worker.done


async def test_where_the_fetch_still_gives_the_dead_token_a_kill_costs_two_calls(
    tmp_path: Path, opened: Opener
) -> None:
    """The 30 s between two kills pass on a clock that the test puts forward."""
    kills = 10
    async with (
        world(tmp_path, tokens_lost_on_kill=False) as it,
        opened(it.base_url, SHOP.appid, KEYS["orders"]) as sdk,
    ):
        await sdk.fetch_token()
        worker = Worker(it, sdk)
        for call in worker.calls(kills):
            it.clock.leap(31.0)
            calls, forced = it.token_calls, forced_calls(it)
            it.wechat.model.console.kill_token(SHOP.appid, it.now, "stable")
            await call()
            assert (it.token_calls - calls, forced_calls(it) - forced) == (2, 1)
        assert effects(it) == worker.done


def forced_calls(it: World) -> int:
    return it.ledger.mints(SHOP.appid, "stable", "forced")


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_path_that_always_answers_40001_mints_nothing_after_the_first_time(
    tmp_path: Path, opened: Opener, mode: Mode
) -> None:
    async with (
        world(tmp_path, mode=mode) as it,
        opened(it.base_url, SHOP.appid, KEYS["orders"]) as sdk,
    ):
        refuse_always(it)
        await refused_call(sdk)
        mints = it.mints
        assert mints <= 2
        for _ in range(20):
            await refused_call(sdk)
        assert it.mints == mints
        await sdk.create_menu(MENU)


def refuse_always(it: World) -> None:
    fault: Any = {"kind": "errcode", "path": REFUSING_PATH, "errcode": 40001}
    it.wechat.model.faults.add(Fault(**fault))


async def refused_call(sdk: Peer) -> None:
    with pytest.raises(SdkError) as refused:
        await sdk.user_info(OPENID)
    assert refused.value.errcode == 40001
