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
