from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator

import pytest

from tests.fixtures.processes import Child, Launch, spawn
from tests.fixtures.warm import warm
from zhongkong.runtime.lifecycle import Stop, run
from zhongkong.runtime.startup import CannotStart, missing_accelerators

Start = Callable[..., Child]

PREFACE = """
import asyncio, sys, threading
from zhongkong.runtime import logs
from zhongkong.runtime.lifecycle import run
from zhongkong.runtime.startup import CannotStart
logs.configure("test", json=True)
"""


@pytest.fixture(scope="module")
def forked() -> Iterator[Launch]:
    with warm("uvloop", "zhongkong.runtime.lifecycle") as launch:
        yield launch


@pytest.fixture
def start(forked: Launch) -> Iterator[Start]:
    """Start a process whose `main(stop)` is given as source, and wait until it says "up"."""
    children: list[Child] = []

    def begin(
        body: str, *, grace_s: float = 30.0, echo_s: float = 0.0, launch: Launch = forked
    ) -> Child:
        call = f"run(main, grace_s={grace_s}, echo_s={echo_s})"
        source = PREFACE + textwrap.dedent(body) + f"\nsys.exit({call})\n"
        child = Child([sys.executable, "-m", "tests.runtime.given", source], launch=launch)
        children.append(child)
        child.wait_for_line("up")
        return child

    yield begin
    for child in children:
        child.kill()


WAITS = """
async def main(stop):
    print("up", flush=True)
    await stop.wait()
    print(f"leaving because of {stop.reason}\\n", end="", flush=True)
"""


def ended(child: Child) -> int:
    return child.wait(timeout_s=30.0)


def test_a_service_collects_garbage_even_where_its_command_did_not(start: Start) -> None:
    child = start("""
        import gc
        gc.disable()
        async def main(stop):
            print(f"up, collecting: {gc.isenabled()}", flush=True)
        """)
    assert child.wait_for_line("collecting").endswith("True")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_main_leave_in_order(start: Start, number: signal.Signals) -> None:
    child = start(WAITS)
    os.kill(child.pid, number)
    child.wait_for_line(f"leaving because of {number.name}")
    assert ended(child) == 0


def test_sigint_is_obeyed_even_where_it_was_inherited_as_ignored(start: Start) -> None:
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = start(WAITS, launch=spawn)
    finally:
        signal.signal(signal.SIGINT, previous)
    os.kill(child.pid, signal.SIGINT)
    child.wait_for_line("leaving because of SIGINT")
    assert ended(child) == 0


STUBBORN = """
async def main(stop):
    print("up", flush=True)
    await stop.wait()
    print("heard", flush=True)
    await asyncio.Event().wait()
"""


def test_a_second_signal_ends_the_process_at_once(start: Start) -> None:
    child = start(STUBBORN)
    os.kill(child.pid, signal.SIGTERM)
    child.wait_for_line("heard")
    os.kill(child.pid, signal.SIGINT)
    assert ended(child) == 128 + signal.SIGINT


def test_the_echo_of_a_signal_changes_nothing(start: Start) -> None:
    child = start(STUBBORN, grace_s=0.5, echo_s=60.0)
    os.kill(child.pid, signal.SIGINT)
    child.wait_for_line("heard")
    os.kill(child.pid, signal.SIGINT)
    child.wait_for_line("shutdown_cut_short")
    assert ended(child) == 0


def test_a_main_without_end_is_cut_off_after_the_grace(start: Start) -> None:
    child = start(STUBBORN, grace_s=0.1)
    os.kill(child.pid, signal.SIGTERM)
    child.wait_for_line("shutdown_cut_short")
    assert ended(child) == 0


def test_a_thread_that_hangs_does_not_keep_the_process(start: Start) -> None:
    child = start("""
    from zhongkong.runtime import lifecycle
    lifecycle._UNWIND_S = 0.2
    async def main(stop):
        hang = asyncio.ensure_future(asyncio.to_thread(threading.Event().wait))
        await asyncio.sleep(0)
        print("up", flush=True)
        await stop.wait()
    """)
    os.kill(child.pid, signal.SIGTERM)
    assert ended(child) == 0


def answer(body: str) -> subprocess.CompletedProcess[str]:
    source = PREFACE + textwrap.dedent(body) + "\nsys.exit(run(main))\n"
    return subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=20, check=False
    )


def test_what_the_operator_must_change_is_one_line_without_a_traceback() -> None:
    result = answer("""
    async def main(stop):
        raise CannotStart("port 80 is taken")
    """)
    assert (result.returncode, result.stderr) == (1, "port 80 is taken\n")


def test_a_crash_is_logged_with_its_traceback() -> None:
    result = answer("""
    async def main(stop):
        raise KeyError("lost")
    """)
    assert result.returncode == 1
    assert "process_crashed" in result.stdout
    assert "KeyError" in result.stdout


def test_main_runs_on_uvloop_and_its_return_is_success() -> None:
    seen: list[str] = []

    async def main(_stop: Stop) -> None:
        seen.append(type(asyncio.get_running_loop()).__module__)

    assert run(main) == 0
    assert seen == ["uvloop"]


def test_an_early_exception_comes_out_as_exit_code_one(capsys: pytest.CaptureFixture[str]) -> None:
    async def main(_stop: Stop) -> None:
        raise CannotStart("no")

    assert run(main) == 1
    assert capsys.readouterr().err == "no\n"


async def test_a_stop_ends_every_wait_at_once_and_tells_why() -> None:
    stop = Stop(grace_s=300.0)
    waits = [asyncio.ensure_future(stop.wait(3600)) for _ in range(3)]
    assert not stop.requested
    assert stop.remaining_s == 300.0
    stop.request("enough")
    assert await asyncio.gather(*waits) == [True, True, True]
    stop.request("again")
    assert stop.reason == "enough"
    assert 200.0 < stop.remaining_s <= 300.0


async def test_a_wait_for_a_stop_that_does_not_come_is_a_sleep() -> None:
    assert await Stop().wait(0.001) is False


async def test_callbacks_hear_of_the_stop_now_or_later() -> None:
    stop = Stop()
    heard: list[str] = []
    stop.on_request(lambda: heard.append("later"))
    assert heard == []
    stop.request("x")
    stop.on_request(lambda: heard.append("at once"))
    assert heard == ["later", "at once"]


def test_missing_extensions_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_accelerators() == []
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert "hiredis" in missing_accelerators()
