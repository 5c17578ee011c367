"""The client against the native API itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.token_service import api_world
from tests.token_service.api_world import KEYS, SHOP
from tests.token_service.fake_source import NOW, VALUE, served
from token_service.client import NotAllowed, RequestRefused, TokenClient, TokenUnavailable
from token_service.client.requests import Requests
from token_service.served import NoLiveToken, RejectionOutcome
from token_service.slot import Failure, FailureKind


@asynccontextmanager
async def world(key: str = "orders") -> AsyncIterator[tuple[api_world.World, TokenClient]]:
    async with (
        api_world.api_world() as api,
        TokenClient(f"http://127.0.0.1:{api.port}", key=KEYS[key]) as tokens,
    ):
        yield api, tokens


def requests_of(tokens: TokenClient) -> Requests:
    assert tokens._requests is not None
    return tokens._requests


async def test_a_token_is_read() -> None:
    async with world() as (_, tokens):
        assert await tokens.get("shop") == VALUE


async def test_a_known_version_is_unchanged() -> None:
    async with world() as (_, tokens):
        held = await requests_of(tokens).token("shop", "access_token")
        assert held is not None
        assert held.issued_at == NOW
        assert await requests_of(tokens).token("shop", "access_token", held.version) is None


async def test_a_dead_token_is_reported_and_replaced() -> None:
    async with world() as (api, tokens):
        bad = await tokens.get("shop")
        version = api.source.live[SHOP].version
        api.source.outcome = RejectionOutcome.REPLACED
        api.source.live[SHOP] = served(SHOP, "the next token")
        assert await tokens.rejected("shop", errcode=40001, value=bad) == "the next token"
        assert ("reject", SHOP, version, False) in api.source.asked


async def test_a_code_that_says_nothing_of_the_token_is_refused() -> None:
    async with world() as (_, tokens):
        await tokens.get("shop")
        with pytest.raises(RequestRefused, match="40001, 40014, 42001"):
            await tokens.rejected("shop", errcode=45009)


async def test_an_account_of_others_is_not_allowed() -> None:
    async with world() as (_, tokens):
        with pytest.raises(NotAllowed) as raised:
            await tokens.get("bank")
        assert raised.value.status == 403


async def test_what_wechat_said_arrives() -> None:
    async with world() as (api, tokens):
        api.source.live.clear()
        failure = Failure(FailureKind.OPERATOR, NOW, NOW + 600, 1, "x", errcode=40125, rid="r-1")
        api.source.trouble = NoLiveToken("The secret is wrong.", retry_after_s=9, failure=failure)
        with pytest.raises(TokenUnavailable, match="The secret is wrong") as raised:
            await tokens.get("shop")
        error = raised.value
        assert (error.errcode, error.rid, error.retry_after_s) == (40125, "r-1", 9.0)
