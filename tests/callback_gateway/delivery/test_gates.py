from __future__ import annotations

import asyncio

import pytest

from callback_gateway.delivery.gates import Gates


async def test_places_are_given_until_none_is_left() -> None:
    gates = Gates()
    assert await gates.enter("crm", 1, 0.0)
    assert not await gates.enter("crm", 1, 0.0)
    assert await gates.enter("audit", 1, 0.0)


async def test_who_waited_first_goes_first() -> None:
    gates, order = Gates(), []

    async def enter(name: str) -> None:
        assert await gates.enter("crm", 1, 60.0)
        order.append(name)

    await gates.enter("crm", 1, 0.0)
    waiting = [asyncio.create_task(enter(name)) for name in ("first", "second")]
    await asyncio.sleep(0)
    gates.leave("crm")
    await waiting[0]
    gates.leave("crm")
    await waiting[1]
    assert order == ["first", "second"]


async def test_a_place_given_to_one_who_was_cut_off_is_passed_on() -> None:
    gates = Gates()
    await gates.enter("crm", 1, 0.0)
    cut = asyncio.create_task(gates.enter("crm", 1, 60.0))
    other = asyncio.create_task(gates.enter("crm", 1, 60.0))
    await asyncio.sleep(0)
    gates.leave("crm")
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    assert await other


async def test_who_waits_in_vain_leaves_the_queue() -> None:
    gates = Gates()
    await gates.enter("crm", 1, 0.0)
    assert not await gates.enter("crm", 1, 0.001)
    gates.leave("crm")
    assert await gates.enter("crm", 1, 0.0)


async def test_nobody_waits_when_the_gates_close() -> None:
    gates = Gates()
    await gates.enter("crm", 1, 0.0)
    waiting = asyncio.create_task(gates.enter("crm", 1, 60.0))
    await asyncio.sleep(0)
    gates.close()
    assert not await waiting
    gates.leave("crm")
    assert not await gates.enter("crm", 1, 0.0)
