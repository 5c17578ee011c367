from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from zhongkong.runtime.tasks import HEALTHY_AFTER_S, LONGEST_PAUSE_S, TaskOwner


class ManualClock:
    """Time that moves only when the test moves it."""

    def __init__(self) -> None:
        self.time = 1000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.time + seconds, future))
        await future

    async def advance(self, seconds: float) -> None:
        self.time += seconds
        for until, future in self._sleepers:
            if until <= self.time and not future.done():
                future.set_result(None)
        await settle()


class Highest:
    """The longest pause that the jitter allows."""

    def uniform(self, _low: float, high: float) -> float:
        return high

    def token(self, nbytes: int) -> str:
        return "00" * nbytes


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Crashing:
    def __init__(self) -> None:
        self.starts = 0
        self.healthy = False

    async def __call__(self) -> None:
        self.starts += 1
        if not self.healthy:
            raise ValueError("boom")
        await asyncio.Event().wait()


async def test_a_crashed_loop_is_logged_shown_and_started_again_with_growing_pauses() -> None:
    clock = ManualClock()
    loop = Crashing()
    async with TaskOwner(clock, Highest()) as owner:
        with capture_logs() as lines:
            owner.keep("refresh", loop)
            await settle()
            assert owner.failing == {"refresh": "ValueError"}
            await clock.advance(0.9)
            assert loop.starts == 1
            await clock.advance(0.1)
            assert loop.starts == 2
            await clock.advance(1.9)
            assert loop.starts == 2
            await clock.advance(0.1)
            assert loop.starts == 3
    assert [line["event"] for line in lines] == ["task_crashed"] * 3
    assert lines[0]["exc_info"] is True
    assert [line["pause_s"] for line in lines] == [1.0, 2.0, 4.0]


async def test_the_pause_has_a_ceiling() -> None:
    clock = ManualClock()
    loop = Crashing()
    with capture_logs():  # unlike a terminal, it draws no tracebacks
        async with TaskOwner(clock, Highest()) as owner:
            owner.keep("refresh", loop)
            for _ in range(40):
                await clock.advance(LONGEST_PAUSE_S)
            assert loop.starts >= 40


async def test_a_loop_that_runs_for_a_while_again_is_no_longer_failing() -> None:
    clock = ManualClock()
    loop = Crashing()
    async with TaskOwner(clock, Highest()) as owner:
        owner.keep("refresh", loop)
        await settle()
        loop.healthy = True
        await clock.advance(1.0)
        assert owner.failing == {"refresh": "ValueError"}
        await clock.advance(HEALTHY_AFTER_S)
        assert owner.failing == {}


async def test_a_loop_that_returns_is_done() -> None:
    async def short() -> None:
        return

    clock = ManualClock()
    async with TaskOwner(clock, Highest()) as owner:
        owner.keep("short", short)
        await settle()
        assert owner.failing == {}


async def test_the_failure_of_a_single_task_is_logged_and_left_to_its_caller() -> None:
    async def fails() -> None:
        raise ValueError("boom")

    async with TaskOwner(ManualClock(), Highest()) as owner:
        with capture_logs() as lines:
            task = owner.once("flight", fails())
            await asyncio.wait({task})
            await settle()
        with pytest.raises(ValueError, match="boom"):
            await task
    assert lines[0]["event"] == "task_failed"
    assert lines[0]["task"] == "flight"


async def test_close_ends_everything_and_takes_nothing_more() -> None:
    owner = TaskOwner(ManualClock(), Highest())
    task = owner.once("endless", asyncio.Event().wait())
    owner.keep("loop", asyncio.Event().wait)
    await settle()
    await owner.close()
    await owner.close()
    assert task.cancelled()
    with pytest.raises(RuntimeError, match="after its owner closed"):
        owner.once("late", asyncio.Event().wait())


async def test_a_task_that_ignores_its_cancellation_is_named() -> None:
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    owner = TaskOwner(ManualClock(), Highest())
    task = owner.once("stubborn", stubborn())
    await settle()
    with capture_logs() as lines:
        await owner.close(timeout_s=0.01)
    release.set()
    await task
    assert lines == [
        {
            "event": "task_did_not_end",
            "task": "stubborn",
            "timeout_s": 0.01,
            "log_level": "error",
        }
    ]


async def test_work_under_way_can_be_waited_for_while_loops_go_on() -> None:
    done = asyncio.Event()

    async def forever() -> None:
        await asyncio.Event().wait()

    async def work() -> None:
        await asyncio.sleep(0)
        done.set()

    async with TaskOwner(ManualClock(), Highest()) as owner:
        owner.keep("loop", forever)
        owner.once("work", work())
        await owner.finish(5)

        assert done.is_set()
