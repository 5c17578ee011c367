from __future__ import annotations

import pytest

from tests.wechat.servers import http, never_replies, refused_origin, replies, serve, transport
from zhongkong.wechat.errors import NotSent, NotSentReason, OutcomeUnknown
from zhongkong.wechat.failover import Failover
from zhongkong.wechat.transport import Bounds

OK = http(b'{"errcode":0,"errmsg":"ok"}')


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


async def test_a_call_that_was_not_sent_goes_to_the_next_host() -> None:
    moves: list[Failover] = []
    with refused_origin() as away:
        async with (
            serve(replies(OK)) as second,
            transport(away, second.origin, on_failover=moves.append) as wechat,
        ):
            answer = await wechat.call("GET", "/x", deadline_s=5)

    assert answer.errcode == 0
    assert moves == [Failover(away, second.origin, NotSentReason.CONNECTION_REFUSED)]


async def test_the_host_that_worked_is_asked_first_next_time() -> None:
    moves: list[Failover] = []
    with refused_origin() as away:
        async with (
            serve(replies(OK)) as second,
            transport(away, second.origin, on_failover=moves.append) as wechat,
        ):
            await wechat.call("GET", "/x", deadline_s=5)
            await wechat.call("GET", "/x", deadline_s=5)

            assert wechat.current_host == second.origin

    assert len(moves) == 1


async def test_after_a_while_the_first_host_takes_over_again() -> None:
    clock = ManualClock()
    bounds = Bounds(return_after_s=300)
    async with (
        serve(replies(OK)) as first,
        serve(replies(OK)) as second,
        transport(first.origin, second.origin, clock=clock, bounds=bounds) as wechat,
    ):
        wechat._hosts.reached(second.origin, clock.at)
        clock.at += 299
        await wechat.call("GET", "/x", deadline_s=5)
        clock.at += 1
        await wechat.call("GET", "/x", deadline_s=5)

        assert wechat.current_host == first.origin

    assert (len(first.requests), len(second.requests)) == (1, 1)


async def test_a_call_that_may_have_arrived_goes_to_no_other_host() -> None:
    async with (
        serve(replies(b"", reset=True)) as first,
        serve(replies(OK)) as second,
        transport(first.origin, second.origin) as wechat,
    ):
        with pytest.raises(OutcomeUnknown):
            await wechat.call("GET", "/x", deadline_s=5)

    assert (len(first.requests), second.connections) == (1, 0)


async def test_a_silent_host_is_not_given_up_for_another_within_one_call() -> None:
    async with (
        serve(never_replies) as first,
        serve(replies(OK)) as second,
        transport(first.origin, second.origin) as wechat,
    ):
        with pytest.raises(OutcomeUnknown):
            await wechat.call("GET", "/x", deadline_s=0.5)

    assert second.connections == 0


async def test_when_no_host_can_be_reached_the_error_names_each() -> None:
    with refused_origin() as one, refused_origin() as two:
        async with transport(one, two) as wechat:
            with pytest.raises(NotSent) as raised:
                await wechat.call("GET", "/x", deadline_s=5)

    assert one in str(raised.value)
    assert two in str(raised.value)


async def test_no_host_is_tried_when_too_little_time_is_left_for_an_answer() -> None:
    class HastyClock(ManualClock):
        def monotonic(self) -> float:
            self.at += 2.0
            return self.at

    async with (
        serve(replies(OK)) as server,
        transport(server.origin, clock=HastyClock()) as wechat,
    ):
        with pytest.raises(NotSent) as raised:
            await wechat.call("GET", "/x", deadline_s=2.5)

    assert raised.value.reason is NotSentReason.DEADLINE
    assert server.connections == 0
