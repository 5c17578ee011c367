"""What happens between two readers: looks, replacements, outages, rest."""

from __future__ import annotations

import asyncio

import pytest

from tests.token_service.client import scripted
from tests.token_service.client.scripted import problem, token, world
from tests.token_service.client.stepped_clock import START
from token_service.client import ServiceUnreachable
from token_service.client.held import LOOK_EVERY_S, MARGIN_S

IN_MARGIN_S = 7200 - MARGIN_S + 1


async def test_a_replaced_token_is_heard_of_within_a_minute() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        it.service.answer = token("2", issued_at=START + 50)
        await it.look_again(LOOK_EVERY_S)
        assert await it.tokens.get("shop") == "value-2"
        assert len(it.service.asked) == 2


async def test_an_early_end_is_heard_of_though_the_version_stays() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        it.service.answer = token("1", lives_s=100)
        await it.look_again()
        await it.service.stop()
        it.clock.advance(0, wall=100)
        with pytest.raises(ServiceUnreachable):
            await it.tokens.get("shop")


async def test_near_its_end_a_token_is_asked_after_often_and_by_its_version() -> None:
    async with world() as it:
        it.service.answer = token("1", lives_s=int(MARGIN_S))
        await it.tokens.get("shop")
        await it.look_again(15)
        await it.look_again(15)
        first, *later = it.service.asked
        assert "If-None-Match" not in first.headers
        assert [asked.headers["If-None-Match"] for asked in later] == ['"1"', '"1"']
        it.service.answer = token("2")
        await it.look_again(15)
        assert await it.tokens.get("shop") == "value-2"


async def test_a_reader_never_waits_while_a_token_lives() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        await it.clock.until_asleep()
        it.service.hold = asyncio.Event()
        it.clock.advance(60)
        await it.service.until_asked(2)
        async with asyncio.timeout(30):
            assert await it.tokens.get("shop") == "value-1"
        it.service.hold.set()


async def test_through_an_outage_the_token_is_given_until_its_end() -> None:
    async with world() as it:
        it.service.answer = token("1", lives_s=300)
        await it.tokens.get("shop")
        await it.service.stop()
        for _ in range(29):
            await it.clock.until_asleep()
            it.clock.advance(10)
            assert await it.tokens.get("shop") == "value-1"
        it.clock.advance(10)
        await it.at_rest()
        with pytest.raises(ServiceUnreachable):
            await it.tokens.get("shop")


async def test_after_an_outage_it_goes_on_by_itself() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        await it.clock.until_asleep()
        await it.service.stop()
        it.clock.advance(60)
        await it.clock.until_asleep()
        assert await it.tokens.get("shop") == "value-1"
        it.service.answer = token("2", issued_at=START + 61)
        await it.service.start()
        await it.look_again()
        assert await it.tokens.get("shop") == "value-2"


@pytest.mark.parametrize(
    "answer",
    [
        problem(401, "no-key"),
        problem(503, "no-live-token"),
        problem(500),
        scripted.reset,
        scripted.plain(b"<html>"),
    ],
)
async def test_no_answer_of_the_service_takes_a_living_token_away(answer: scripted.Answer) -> None:
    async with world() as it:
        await it.tokens.get("shop")
        it.service.answer = answer
        await it.look_again()
        assert await it.tokens.get("shop") == "value-1"


async def test_the_background_keeps_to_retry_after() -> None:
    async with world() as it:
        it.service.answer = token("1", lives_s=140)
        await it.tokens.get("shop")
        it.service.answer = problem(503, "draining", retry_after=25)
        await it.look_again(15)
        assert it.clock.sleeping_s == [25.0]


async def test_a_replica_that_is_behind_does_not_bring_the_old_token_back() -> None:
    async with world() as it:
        it.service.answer = token("2", issued_at=START + 10)
        await it.tokens.get("shop")
        it.service.answer = token("1", issued_at=START)
        await it.look_again()
        assert await it.tokens.get("shop") == "value-2"


async def test_a_token_that_nobody_reads_is_left_alone() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        await it.leave_alone()
        assert not it.clock.sleeping_s


async def test_a_token_left_alone_is_asked_after_before_it_is_given_again() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        await it.leave_alone()
        it.service.answer = token("2", issued_at=START + 300)
        assert await it.tokens.get("shop") == "value-2"
        await it.clock.until_asleep()


async def test_a_token_left_alone_serves_an_outage_too() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        await it.leave_alone()
        await it.service.stop()
        assert await it.tokens.get("shop") == "value-1"


async def test_a_token_in_use_is_never_left_alone() -> None:
    async with world() as it:
        for _ in range(8):
            await it.tokens.get("shop")
            await it.look_again()
        assert it.clock.sleeping_s
