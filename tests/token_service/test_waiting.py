from __future__ import annotations

import asyncio

import pytest

from token_service.waiting import WaitingRoom
from zhongkong.runtime.problems import Problem


async def test_a_seat_is_free_again_after_its_use() -> None:
    room = WaitingRoom(1)
    for _ in range(2):
        async with room.seat(5):
            assert room.taken == 1

    assert room.taken == 0


async def test_there_are_only_so_many_seats() -> None:
    room = WaitingRoom(1)
    async with room.seat(5):
        with pytest.raises(Problem) as refused:
            async with room.seat(5):
                pass

    assert refused.value.status == 503


async def test_nobody_waits_longer_than_allowed() -> None:
    room = WaitingRoom(1)
    with pytest.raises(TimeoutError):
        async with room.seat(0):
            await asyncio.Event().wait()

    assert room.taken == 0


async def test_nobody_waits_in_a_closed_room() -> None:
    room = WaitingRoom(1)
    room.close()
    with pytest.raises(Problem) as refused:
        async with room.seat(5):
            pass

    assert refused.value.headers["Retry-After"] == "1"


async def test_a_deed_under_way_may_still_be_answered_when_the_room_closes() -> None:
    room = WaitingRoom(2, patience_s=60)
    async with room.seat(5, deed=True):
        room.close()
        await asyncio.sleep(0)


async def test_a_reader_is_sent_away_at_once_when_the_room_closes() -> None:
    room = WaitingRoom(2, patience_s=60)

    async def read() -> None:
        async with room.seat(5):
            room.close()
            await asyncio.Event().wait()

    with pytest.raises(Problem):
        await read()
