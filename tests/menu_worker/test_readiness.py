"""Readiness latches: it says whether this rollout's menus were verified live, and nothing else."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest

from menu_worker.drift import Behaviour
from menu_worker.menu import NO_MENU
from menu_worker.worker import BAD_FILES, NOT_VERIFIED, STANDING_DOWN, STARTING
from tests.menu_worker.fleets import (
    BUY,
    INTERVAL_S,
    SELL,
    FleetWorld,
    loaded,
    on_virtual_time,
    settle,
)
from zhongkong.runtime import logs


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure("menu_worker", stream=stream, json=True, level="debug")
    yield stream
    logs.close()


@on_virtual_time
async def test_a_worker_is_ready_once_every_menu_was_verified_live() -> None:
    world = FleetWorld("shop", "bank")
    world.caller.away.add("bank")
    async with world.worker() as worker:
        assert worker.not_ready_because() == STARTING
        worker.take(loaded({"shop": BUY, "bank": BUY}))
        await settle()
        assert worker.not_ready_because() == NOT_VERIFIED
        world.caller.away.clear()
        await settle(30)
        assert worker.not_ready_because() is None


@on_virtual_time
async def test_once_ready_it_stays_so_whatever_happens() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY}), on_drift=Behaviour.REPORT) as worker:
        await settle()
        world.somebody_writes("shop", SELL)
        await settle(INTERVAL_S)
        assert worker.not_ready_because() is None
        world.caller.away.add("shop")
        worker.take(loaded({"shop": SELL}))
        await settle(INTERVAL_S)
        assert worker.not_ready_because() is None
        worker.take(loaded({}, broken={"shop": "bad"}, unmatched=("x.yaml",)))
        await settle(INTERVAL_S)
        assert worker.not_ready_because() is None


@on_virtual_time
async def test_a_restart_onto_a_verified_menu_is_ready_though_wechat_is_away() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY})):
        await settle()
    world.caller.hanging.add("shop")
    async with world.worker(loaded({"shop": BUY})) as worker:
        await settle()
        assert worker.not_ready_because() is None


@on_virtual_time
async def test_a_changed_menu_is_not_ready_before_it_is_live() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY})):
        await settle()
    world.caller.away.add("shop")
    async with world.worker(loaded({"shop": SELL})) as worker:
        await settle(INTERVAL_S)
        assert worker.not_ready_because() == NOT_VERIFIED


@on_virtual_time
async def test_accounts_whose_menu_did_not_change_fail_no_rollout() -> None:
    world = FleetWorld("shop", "bank")
    async with world.worker(loaded({"shop": BUY, "bank": BUY})):
        await settle()
    world.caller.away.add("bank")
    async with world.worker(loaded({"shop": SELL, "bank": BUY}), instance="next") as worker:
        await settle()
        assert world.live("shop") == SELL
        assert worker.not_ready_because() is None


@pytest.mark.parametrize(
    "menus",
    [
        loaded({"shop": BUY}, broken={"bank": "bad"}),
        loaded({"shop": BUY}, nameless={"x": "bad"}),
        loaded({"shop": BUY}, unmatched=("menus/bank.yaml",)),
    ],
    ids=["a bad file", "a file of nobody", "a missing file"],
)
def test_what_is_wrong_with_a_file_never_becomes_ready(menus: object) -> None:
    @on_virtual_time
    async def scenario() -> None:
        world = FleetWorld("shop", "bank")
        async with world.worker(menus) as worker:  # type: ignore[arg-type]
            await settle(4 * INTERVAL_S)
            assert worker.not_ready_because() == BAD_FILES
            assert world.live("shop") == BUY, "the others are applied all the same"

    scenario()


@on_virtual_time
async def test_an_empty_menu_never_becomes_ready() -> None:
    world = FleetWorld("shop")
    world.somebody_writes("shop", BUY)
    async with world.worker(loaded({"shop": NO_MENU})) as worker:
        await settle(INTERVAL_S)
        assert worker.not_ready_because() == NOT_VERIFIED


@on_virtual_time
async def test_a_mended_file_makes_it_ready_after_all() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({}, broken={"shop": "bad"})) as worker:
        await settle()
        worker.take(loaded({"shop": BUY}))
        await settle()
        assert worker.not_ready_because() is None


@on_virtual_time
async def test_a_worker_that_stands_down_before_it_was_ready_says_why() -> None:
    world = FleetWorld("shop")
    async with world.worker(loaded({"shop": BUY}), instance="old"):
        await settle()
    async with world.worker(loaded({"shop": SELL}), instance="new"):
        await settle()
    async with world.worker(loaded({"shop": BUY}), instance="old") as worker:
        await settle()
        assert worker.not_ready_because() == STANDING_DOWN
        assert world.live("shop") == SELL


def test_standing_down_is_logged_once_with_the_winner(log: io.StringIO) -> None:
    @on_virtual_time
    async def scenario() -> None:
        world = FleetWorld("shop")
        async with world.worker(loaded({"shop": BUY}), instance="old"):
            await settle()
            async with world.worker(loaded({"shop": SELL}), instance="new"):
                await settle(4 * INTERVAL_S)

    scenario()
    told = [line for line in _lines(log) if line["event"] == "menu_worker_stood_down"]
    assert [line["level"] for line in told][:2] == ["warning", "debug"]
    assert [line["winner"] for line in told if line["level"] == "warning"] == ["new"]


def test_passes_without_news_are_logged_at_debug(log: io.StringIO) -> None:
    @on_virtual_time
    async def scenario() -> None:
        world = FleetWorld("shop")
        async with world.worker(loaded({"shop": BUY})):
            await settle(5 * INTERVAL_S)
            world.caller.away.add("shop")
            await settle(5 * INTERVAL_S)

    scenario()
    lines = _lines(log)
    assert [each["event"] for each in lines if each["level"] not in {"debug", "error"}] == [
        "desired_loaded",
        "menu_applied",
        "menu_in_sync",
        "menus_verified",
    ]
    assert [each["event"] for each in lines if each["level"] == "error"] == ["menu_unreachable"]


def _lines(log: io.StringIO) -> list[dict[str, object]]:
    logs.close()
    return [json.loads(line) for line in log.getvalue().splitlines()]
