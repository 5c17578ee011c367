"""The loop whose time moves only when everybody waits."""

from __future__ import annotations

import asyncio

import pytest

from tests.simulation.chance import SeededRandomness
from tests.simulation.loop import EPOCH, Deadlock, SkewedClock, run
from zhongkong.runtime.clock import SystemClock


def test_an_hour_passes_at_once() -> None:
    async def scene() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    before = SystemClock().monotonic()
    assert run(scene()) == pytest.approx(3600)
    assert SystemClock().monotonic() - before < 60


def test_sleepers_wake_in_the_order_of_their_times() -> None:
    async def scene() -> list[int]:
        woken: list[int] = []

        async def sleeper(seconds: int) -> None:
            await asyncio.sleep(seconds)
            woken.append(seconds)

        await asyncio.gather(*(sleeper(seconds) for seconds in (3, 1, 2)))
        return woken

    assert run(scene()) == [1, 2, 3]


def test_a_wait_that_nothing_will_ever_end_is_a_deadlock() -> None:
    async def scene() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        run(scene())


def test_a_timeout_ends_such_a_wait() -> None:
    async def scene() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run(scene()) == pytest.approx(5)


def test_a_skewed_clock_is_off_and_jumps_but_its_monotonic_time_does_not() -> None:
    async def scene() -> None:
        clock = SkewedClock(skew_s=-30.0)
        await clock.sleep(10)
        assert clock.now() == pytest.approx(EPOCH - 20)
        clock.skew_s = 100.0
        assert clock.now() == pytest.approx(EPOCH + 110)
        assert clock.monotonic() == pytest.approx(10)

    run(scene())


def test_a_seed_decides_every_draw() -> None:
    one, same, other = SeededRandomness(1), SeededRandomness(1), SeededRandomness(2)
    drawn = (one.uniform(0, 1), one.token(8))
    assert drawn == (same.uniform(0, 1), same.token(8))
    assert drawn != (other.uniform(0, 1), other.token(8))
