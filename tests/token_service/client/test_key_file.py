"""A key in a file that changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from tests.token_service.client.scripted import Asked, problem, token, world
from token_service.client import KeyUnreadable, NotAllowed, TokenClient

FIRST, SECOND = "first-key-0123456789abcdefgh", "second-key-0123456789abcdefg"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(f"{FIRST}\n")
    return path


def key_of(asked: Asked) -> str:
    return str(asked.headers["Authorization"]).removeprefix("Bearer ")


async def test_the_key_is_read_without_its_newline(path: Path) -> None:
    async with world(key_file=path) as it:
        await it.tokens.get("shop")
        assert key_of(it.service.asked[0]) == FIRST


async def test_a_replaced_key_is_used_from_the_next_request_on(path: Path) -> None:
    async with world(key_file=str(path)) as it:
        await it.tokens.get("shop")
        replacement = path.with_name("new")
        replacement.write_text(SECOND)
        replacement.replace(path)
        it.clock.advance(1)
        await it.tokens.get("bank")
        assert key_of(it.service.asked[1]) == SECOND


async def test_a_refused_key_is_looked_at_at_once(path: Path) -> None:
    async with world(key_file=path) as it:

        async def only_second(request: web.Request) -> web.StreamResponse:
            answer = token("1") if SECOND in str(request.headers) else problem(401, "no-key")
            return await answer(request)

        it.service.answer = only_second
        path.write_text(SECOND)
        assert await it.tokens.get("shop") == "value-1"
        assert [key_of(asked) for asked in it.service.asked] == [FIRST, SECOND]


async def test_a_refused_key_that_did_not_change_is_not_tried_twice(path: Path) -> None:
    async with world(key_file=path) as it:
        it.service.answer = problem(401, "no-key")
        with pytest.raises(NotAllowed):
            await it.tokens.get("shop")
        assert len(it.service.asked) == 1


@pytest.mark.parametrize("damage", [b"", b"\n", b"\xff\xfe", b"a\nb", b"x" * 20_000])
async def test_while_the_file_is_unusable_the_last_key_goes_on(path: Path, damage: bytes) -> None:
    async with world(key_file=path) as it:
        path.write_bytes(damage)
        it.clock.advance(1)
        await it.tokens.get("shop")
        assert key_of(it.service.asked[0]) == FIRST


async def test_a_file_that_is_not_there_ends_the_beginning(tmp_path: Path) -> None:
    client = TokenClient("http://127.0.0.1:1", key_file=tmp_path / "none")
    with pytest.raises(KeyUnreadable, match="none can't be read: No such file"):
        async with client:
            pass
