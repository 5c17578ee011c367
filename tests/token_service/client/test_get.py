"""Tokens from memory: hits, misses, the end of a life, and what is raised when there is none."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from tests.token_service.client import scripted
from tests.token_service.client.scripted import KEY, TOKEN, World, problem, token, world
from token_service.client import (
    NotAllowed,
    RequestRefused,
    ServiceBusy,
    ServiceUnreachable,
    TokenClient,
    TokenServiceError,
    TokenUnavailable,
    UnknownAccount,
)


async def test_the_first_reader_asks_and_the_next_is_served_from_memory() -> None:
    async with world() as it:
        assert await it.tokens.get("shop") == "value-1"
        assert await it.tokens.get("shop") == "value-1"
        [asked] = it.service.asked
        assert (asked.method, asked.path, asked.query) == ("GET", TOKEN, "")
        assert asked.headers["Authorization"] == f"Bearer {KEY}"


async def test_readers_at_the_same_moment_share_one_request() -> None:
    async with world() as it:
        assert await asyncio.gather(*(it.tokens.get("shop") for _ in range(50))) == ["value-1"] * 50
        assert len(it.service.asked) == 1


async def test_a_reader_who_gives_up_takes_nothing_from_the_others() -> None:
    async with world() as it:
        it.service.hold = asyncio.Event()
        hasty = asyncio.ensure_future(it.tokens.get("shop"))
        await it.service.until_asked(1)
        patient = asyncio.ensure_future(it.tokens.get("shop"))
        await asyncio.sleep(0)
        hasty.cancel()
        it.service.hold.set()
        assert await patient == "value-1"
        assert len(it.service.asked) == 1
        assert hasty.cancelled()


async def test_accounts_and_kinds_are_apart() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        it.service.answer = token("2")
        assert await it.tokens.get("bank") == "value-2"
        assert await it.tokens.get("shop", "jsapi_ticket") == "value-2"
        assert await it.tokens.get("shop") == "value-1"


async def test_a_token_ends_with_its_life_not_with_the_service_s_clock() -> None:
    async with world() as it:
        it.service.answer = token("1", lives_s=100, issued_at=1.0)
        await it.tokens.get("shop")
        await it.clock.until_asleep()
        it.clock.advance(0, wall=99.9)
        assert await it.tokens.get("shop") == "value-1"
        assert len(it.service.asked) == 1


async def test_the_wall_clock_alone_can_end_a_token() -> None:
    """As after a suspend."""
    async with world() as it:
        await it.tokens.get("shop")
        it.service.answer = token("2")
        it.clock.advance(0, wall=7200)
        assert await it.tokens.get("shop") == "value-2"


async def test_a_wall_clock_that_is_turned_back_prolongs_nothing() -> None:
    async with world() as it:
        await it.tokens.get("shop")
        await it.clock.until_asleep()
        await it.service.stop()
        it.clock.advance(7200, wall=-7200)
        await it.at_rest()
        with pytest.raises(ServiceUnreachable):
            await it.tokens.get("shop")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (problem(401, "no-key"), NotAllowed),
        (problem(403, "no-right"), NotAllowed),
        (problem(404, "unknown-account"), UnknownAccount),
        (problem(400, "bad-request"), RequestRefused),
        (problem(429, "too-soon"), ServiceBusy),
        (problem(503, "draining"), ServiceBusy),
        (problem(503, "no-live-token"), TokenUnavailable),
        (problem(500), ServiceUnreachable),
        (scripted.plain(b"<html>", 502), ServiceUnreachable),
        (scripted.plain(b"<html>", 200), ServiceUnreachable),
        (scripted.plain(b'{"value": 1}', 200, "application/json"), ServiceUnreachable),
        (scripted.plain(b"x" * 100_000), ServiceUnreachable),
        (scripted.plain(b"", 302), ServiceUnreachable),
        (scripted.reset, ServiceUnreachable),
        (scripted.cut_short, ServiceUnreachable),
    ],
)
async def test_each_way_to_fail_has_its_error(
    answer: scripted.Answer, error: type[TokenServiceError]
) -> None:
    async with world() as it:
        it.service.answer = answer
        with pytest.raises(error) as raised:
            await it.tokens.get("shop")
        assert type(raised.value) is error
        assert KEY not in str(raised.value)


async def test_a_service_that_is_away_is_named_with_its_address() -> None:
    async with world() as it:
        await it.service.stop()
        with pytest.raises(ServiceUnreachable, match=f"{it.service.port} doesn't answer") as raised:
            await it.tokens.get("shop")
        assert not raised.value.may_have_arrived


async def test_one_broken_connection_is_no_failure() -> None:
    """Behind one address stand several replicas, and one of them may just be restarted."""
    async with world() as it:

        async def once(request: web.Request) -> web.StreamResponse:
            it.service.answer = token("1")
            return await scripted.reset(request)

        it.service.answer = once
        assert await it.tokens.get("shop") == "value-1"
        assert len(it.service.asked) == 2


async def test_what_wechat_said_is_passed_on() -> None:
    async with world() as it:
        it.service.answer = problem(
            503, "no-live-token", detail="Wrong secret.", errcode=40125, rid="a-b-c", retry_after=7
        )
        with pytest.raises(TokenUnavailable, match="Wrong secret") as raised:
            await it.tokens.get("shop")
        error = raised.value
        assert (error.errcode, error.rid, error.hint, error.retry_after_s) == (
            40125,
            "a-b-c",
            None,
            7.0,
        )


async def test_nobody_asks_again_before_retry_after() -> None:
    async with world() as it:
        it.service.answer = problem(503, "no-live-token", retry_after=7)
        for left_s in (7.0, 5.0):
            with pytest.raises(TokenUnavailable) as raised:
                await it.tokens.get("shop")
            assert raised.value.retry_after_s == left_s
            it.clock.advance(2)
        assert len(it.service.asked) == 1
        it.service.answer = token("1")
        it.clock.advance(3)
        assert await it.tokens.get("shop") == "value-1"


async def test_a_very_long_retry_after_is_asked_about_earlier() -> None:
    async with world() as it:
        it.service.answer = problem(503, "no-live-token", retry_after=86400)
        with pytest.raises(TokenUnavailable):
            await it.tokens.get("shop")
        it.service.answer = token("1")
        it.clock.advance(30)
        assert await it.tokens.get("shop") == "value-1"


async def test_accounts_that_do_not_exist_leave_nothing_behind() -> None:
    async with world() as it:
        it.service.answer = problem(404, "unknown-account")
        for number in range(5):
            with pytest.raises(UnknownAccount):
                await it.tokens.get(f"shop{number}")
        assert not it.tokens._tokens


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", "ä", "x" * 65])
async def test_impossible_names_are_refused_here(name: str) -> None:
    async with world() as it:
        with pytest.raises(ValueError, match="letters, digits"):
            await it.tokens.get(name)
        assert not it.service.asked


@pytest.mark.parametrize(
    "url", ["", "token-service:8081", "ftp://x", "http://", "http://me:pw@x", "http://x?a=1", "//x"]
)
def test_impossible_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="the base URL") as raised:
        TokenClient(url, key=KEY)
    assert "pw" not in str(raised.value)


async def test_a_base_url_may_have_a_path_and_a_slash() -> None:
    async with world() as it:
        client = TokenClient(f"{it.service.url}/inner/", key=KEY)
        async with client as tokens:
            assert await tokens.get("shop") == "value-1"
        assert it.service.asked[-1].path == f"/inner{TOKEN}"


@pytest.mark.parametrize("keys", [{}, {"key": KEY, "key_file": "x"}])
def test_a_client_has_one_key(keys: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="either key or key_file"):
        TokenClient("http://x", **keys)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["", "two\nlines", "tab\t"])
def test_a_key_that_fits_into_no_header_is_refused_unshown(key: str) -> None:
    with pytest.raises(ValueError, match="the key") as raised:
        TokenClient("http://x", key=key)
    assert "two" not in str(raised.value)


async def test_outside_of_its_context_a_client_says_so() -> None:
    client = TokenClient("http://127.0.0.1:1", key=KEY)
    with pytest.raises(RuntimeError, match="async with"):
        await client.get("shop")
    assert KEY not in repr(client)


async def closed_while_waiting(it: World) -> None:
    it.service.hold = asyncio.Event()
    waiting = asyncio.ensure_future(it.tokens.get("shop"))
    await it.service.until_asked(2)
    await it.tokens.close()
    with pytest.raises(ServiceUnreachable, match="closed"):
        await waiting
    it.service.hold.set()


async def test_closing_ends_waiting_and_background() -> None:
    async with world() as it:
        await it.tokens.get("bank")
        await closed_while_waiting(it)
        assert not it.clock.sleeping_s
        await it.tokens.close()
        with pytest.raises(RuntimeError):
            await it.tokens.get("bank")
