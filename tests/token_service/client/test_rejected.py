"""Reports of dead tokens."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.token_service.client.scripted import REJECTIONS, World, problem, token, world
from tests.token_service.client.stepped_clock import START
from token_service.client import ServiceUnreachable, TokenUnavailable

DEAD = 40001


def reports(it: World) -> list[object]:
    return [json.loads(asked.body) for asked in it.service.asked if asked.path == REJECTIONS]


async def test_the_version_given_out_last_is_reported() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        it.service.answer = token("2")
        assert await it.tokens.rejected("shop", errcode=DEAD) == "value-2"
        assert reports(it) == [{"version": "1", "errcode": DEAD}]
        assert await it.tokens.get("shop") == "value-2"


async def test_a_token_that_was_replaced_already_costs_no_request() -> None:
    async with world() as it:
        old = await it.tokens.get("shop")
        it.service.answer = token("2", issued_at=START + 60)
        await it.look_again()
        assert await it.tokens.rejected("shop", errcode=DEAD, value=old) == "value-2"
        assert await it.tokens.rejected("shop", errcode=DEAD, version="1") == "value-2"
        assert not reports(it)


async def test_what_nobody_was_given_is_not_what_is_reported() -> None:
    """The background brought another one between the hand-out and the report."""
    async with world() as it:
        await it.tokens.get("shop")
        it.service.answer = token("2", issued_at=START + 60)
        await it.look_again()
        assert await it.tokens.rejected("shop", errcode=DEAD) == "value-2"
        assert not reports(it)


async def test_many_reports_of_one_version_are_one_request() -> None:
    async with world() as it:
        bad = await it.tokens.get("shop")
        it.service.answer = token("2")
        again = (it.tokens.rejected("shop", errcode=DEAD, value=bad) for _ in range(50))
        assert await asyncio.gather(*again) == ["value-2"] * 50
        assert len(reports(it)) == 1


async def test_a_token_that_lives_is_given_again() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        assert await it.tokens.rejected("shop", errcode=DEAD) == "value-1"


async def test_a_dead_token_without_successor_is_not_given_any_more() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        it.service.answer = problem(503, "no-live-token", retry_after=5)
        with pytest.raises(TokenUnavailable):
            await it.tokens.rejected("shop", errcode=DEAD)
        with pytest.raises(TokenUnavailable):
            await it.tokens.get("shop")
        it.service.answer = token("2")
        it.clock.advance(5)
        assert await it.tokens.get("shop") == "value-2"


async def test_a_report_alone_takes_nothing_from_the_others_while_the_service_is_away() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        await it.service.stop()
        with pytest.raises(ServiceUnreachable):
            await it.tokens.rejected("shop", errcode=DEAD)
        assert await it.tokens.get("shop") == "value-1"


async def test_an_unknown_value_is_answered_with_what_there_is_now() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        it.service.answer = token("2", issued_at=START + 1)
        assert await it.tokens.rejected("shop", errcode=DEAD, value="older") == "value-2"
        assert not reports(it)


async def test_a_report_before_any_token_gets_one() -> None:
    async with world() as it:
        assert await it.tokens.rejected("shop", errcode=DEAD) == "value-1"
        assert not reports(it)


async def test_a_token_first_met_through_a_report_is_followed_too() -> None:
    async with world() as it:
        assert await it.tokens.rejected("shop", errcode=DEAD, version="0") == "value-1"
        assert reports(it) == [{"version": "0", "errcode": DEAD}]
        it.service.answer = token("2", issued_at=START + 60)
        await it.look_again()
        assert await it.tokens.get("shop") == "value-2"


async def test_only_few_values_are_remembered() -> None:
    async with world() as it:
        for number in range(1, 30):
            it.service.answer = token(f"{number}")
            await it.tokens.rejected("shop", errcode=DEAD)
        [current] = it.tokens._tokens.values()
        assert len(current._versions) == 8
        assert "value-29" in current._versions
