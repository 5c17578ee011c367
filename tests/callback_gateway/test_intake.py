"""What WeChat's tries are answered, on virtual time, one gateway or two."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from callback_gateway.delivery.outcome import DELIVERED, Outcome
from callback_gateway.inbox.records import NOWHERE, Selection
from tests.callback_gateway.delivery.world import hangs, on_virtual_time, takes
from tests.callback_gateway.gateways import (
    NOTIFY,
    Platform,
    asks,
    event,
    platform,
    static,
    text,
)


def saying(content: str) -> Outcome:
    """A target's 2xx with a text reply."""
    body = orjson.dumps({"reply": {"type": "text", "content": content}})
    return Outcome(DELIVERED, 200, body=body)


def crm(wechat: Platform, seconds: float, content: str = "已买入") -> None:
    wechat.world.network.scripts["crm"] = takes(seconds, saying(content))


def asked(wechat: Platform, target: str = "crm") -> int:
    return len(wechat.world.network.sent[target])


@on_virtual_time
async def test_what_nobody_answers_is_answered_success_once_it_is_stored() -> None:
    async with platform(NOTIFY) as wechat:
        said = await wechat.send(text())
        assert said is not None
        assert (said.status, said.body) == (200, b"success")
        await asyncio.sleep(1)
        assert asked(wechat, "audit") == 1


@on_virtual_time
async def test_a_static_reply_is_said_at_once_and_again_to_a_retry() -> None:
    async with platform(static("您好")) as wechat:
        for _ in range(2):
            said = await wechat.send(text())
            assert said is not None
            assert said.text == "您好"


@on_virtual_time
async def test_a_quick_target_s_reply_is_the_answer() -> None:
    async with platform(asks()) as wechat:
        crm(wechat, 0.3)
        said = await wechat.send(text())
        assert said is not None
        assert (said.text, said.took_s) == ("已买入", 0.3)


@on_virtual_time
async def test_a_slow_target_gets_the_fallback_said_in_time() -> None:
    async with platform(asks(4.5)) as wechat:
        crm(wechat, 12)
        said = await wechat.deliver(text())
        assert said is not None
        assert said.text == "请稍候"
        assert said.took_s < 4.5


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("seconds", [2.0, 6.0, 12.0, 14.0])
def test_a_long_window_brings_the_reply_through_whichever_try_it_meets(
    replicas: int, seconds: float
) -> None:
    @on_virtual_time
    async def scenario() -> None:
        async with platform(asks(15.0), replicas=replicas) as wechat:
            crm(wechat, seconds)
            began = wechat.world.clock.monotonic()
            said = await wechat.deliver(text())
            assert said is not None
            assert said.text == "已买入"
            took_s = wechat.world.clock.monotonic() - began
            assert seconds <= took_s < seconds + 0.5
            assert asked(wechat) == 1

    scenario()


@on_virtual_time
async def test_a_target_slower_than_the_long_window_gets_the_fallback_at_the_last_try() -> None:
    async with platform(asks(15.0), replicas=2) as wechat:
        crm(wechat, 25)
        began = wechat.world.clock.monotonic()
        said = await wechat.deliver(text())
        assert said is not None
        assert said.text == "请稍候"
        assert wechat.world.clock.monotonic() - began < 14.5


@on_virtual_time
async def test_without_a_fallback_success_is_said() -> None:
    async with platform(asks(4.5, fallback=None)) as wechat:
        wechat.world.network.scripts["crm"] = hangs
        said = await wechat.send(text())
        assert said is not None
        assert said.body == b"success"


@on_virtual_time
async def test_a_target_with_nothing_to_say_is_answered_success_at_once() -> None:
    async with platform(asks(15.0)) as wechat:
        wechat.world.network.scripts["crm"] = takes(0.1, Outcome(DELIVERED, 204))
        said = await wechat.send(text())
        assert said is not None
        assert (said.body, said.took_s) == (b"success", 0.1)


@on_virtual_time
async def test_a_retry_after_the_answer_gets_the_stored_one_and_asks_nobody() -> None:
    async with platform(asks(), replicas=2) as wechat:
        crm(wechat, 0.3)
        first = await wechat.send(text())
        again = await wechat.send(text())
        assert first is not None
        assert again is not None
        assert first.text == again.text == "已买入"
        assert asked(wechat) == 1
        assert wechat.gateways[1].seen.duplicates == 1


@on_virtual_time
async def test_a_retry_that_overlaps_joins_the_attempt_under_way() -> None:
    async with platform(asks()) as wechat:
        crm(wechat, 2)
        first = asyncio.ensure_future(wechat.send(text()))
        await asyncio.sleep(1)
        second = await wechat.send(text())
        said = await first
        assert said is not None
        assert second is not None
        assert said.text == second.text == "已买入"
        assert asked(wechat) == 1
        assert wechat.gateways[0].seen.joins == 1


@on_virtual_time
async def test_with_the_store_away_nothing_is_withheld() -> None:
    async with platform(asks(15.0)) as wechat:
        wechat.gateways[0].store_is_away = True
        crm(wechat, 12)
        said = await wechat.send(text())
        assert said is not None
        assert said.text == "请稍候"
        assert said.took_s < 4.5


@on_virtual_time
async def test_a_process_that_ends_answers_what_it_withheld() -> None:
    async with platform(asks(15.0)) as wechat:
        crm(wechat, 12)
        withheld = asyncio.ensure_future(wechat.send(text()))
        await asyncio.sleep(1)
        wechat.gateways[0].process.ending.set()
        said = await withheld
        assert said is not None
        assert said.text == "请稍候"
        assert said.took_s <= 3.0


@on_virtual_time
async def test_a_process_that_ends_answers_before_its_listener_is_closed() -> None:
    async with platform(asks(4.5)) as wechat:
        crm(wechat, 12)
        waiting = asyncio.ensure_future(wechat.send(text()))
        await asyncio.sleep(1)
        wechat.gateways[0].process.ending.set()
        said = await waiting
        assert said is not None
        assert said.text == "请稍候"
        assert said.took_s <= 3.0


@on_virtual_time
async def test_when_nothing_can_be_stored_nothing_is_acknowledged() -> None:
    async with platform(NOTIFY) as wechat:

        async def refuse(*_: object, **__: object) -> None:
            await asyncio.sleep(60)

        wechat.world.inbox.accept = refuse  # type: ignore[method-assign,assignment]
        said = await wechat.send(text())
        assert said is not None
        assert said.status == 503
        assert said.took_s < 4.5


@on_virtual_time
async def test_a_genuine_callback_that_cannot_be_read_is_kept_and_not_sent_again() -> None:
    async with platform(NOTIFY) as wechat:
        said = await wechat.send(b"<xml><ToUserName>gh_shop</ToUserName></xml>")
        assert said is not None
        assert said.body == b"success"
        [letter] = (await wechat.world.inbox.dead_letters(Selection())).letters
        assert letter.target == NOWHERE


@on_virtual_time
async def test_what_is_genuine_and_no_text_is_kept_too() -> None:
    async with platform(NOTIFY) as wechat:
        said = await wechat.send(b"<xml><Content>\xff\xfe</Content></xml>")
        assert said is not None
        assert said.body == b"success"
        [letter] = (await wechat.world.inbox.dead_letters(Selection())).letters
        assert letter.target == NOWHERE


@pytest.mark.parametrize(
    ("how", "status", "reason"),
    [
        ({"token": "guessed"}, 403, "signature"),
        ({"timestamp": 1}, 403, "stale"),
        ({"account": "bank"}, 404, "unknown_account"),
    ],
)
def test_what_is_not_genuine_is_refused_and_not_stored(
    how: dict[str, object], status: int, reason: str
) -> None:
    @on_virtual_time
    async def scenario() -> None:
        async with platform(NOTIFY) as wechat:
            said = await wechat.send(text(), **how)  # type: ignore[arg-type]
            assert said is not None
            assert said.status == status
            assert wechat.gateways[0].seen.forgeries == [reason]
            assert (await wechat.world.inbox.depth()).events == 0

    scenario()


@on_virtual_time
async def test_another_account_s_original_id_is_refused() -> None:
    async with platform(NOTIFY) as wechat:
        said = await wechat.send({**text(), "ToUserName": "gh_other"})
        assert said is not None
        assert said.status == 403
        assert wechat.gateways[0].seen.forgeries == ["wrong_account"]


@on_virtual_time
async def test_a_stale_request_that_was_right_otherwise_tells_the_clocks_distance() -> None:
    async with platform(NOTIFY) as wechat:
        moment = int(wechat.world.clock.now()) - 3600
        await wechat.send(text(), timestamp=moment)
        assert wechat.gateways[0].seen.skews == [pytest.approx(-3600, abs=1)]


@on_virtual_time
async def test_two_users_with_one_msg_id_are_both_heard() -> None:
    async with platform(NOTIFY) as wechat:
        await wechat.send(text(user="oA"))
        await wechat.send(text(user="oB"))
        await asyncio.sleep(1)
        assert asked(wechat, "audit") == 2


@on_virtual_time
async def test_two_taps_in_one_second_are_two_events_and_one_tap_sent_twice_is_one() -> None:
    async with platform(NOTIFY) as wechat:
        for tap in ("BUY_IN", "SELL", "BUY_IN"):
            await wechat.send(event("CLICK", tap))
        await asyncio.sleep(1)
        assert asked(wechat, "audit") == 2


@on_virtual_time
async def test_an_unsubscribe_that_is_sent_twice_is_handled_once() -> None:
    async with platform(NOTIFY) as wechat:
        for _ in range(2):
            said = await wechat.send(event("unsubscribe"))
            assert said is not None
            assert said.body == b"success"
        await asyncio.sleep(1)
        assert asked(wechat, "audit") == 1
