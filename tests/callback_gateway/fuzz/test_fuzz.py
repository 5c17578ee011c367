"""Thousands of hostile requests to a real gateway: all refused, nothing stored, nothing lost."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.callback_gateway.fuzz.gateway import REPLY, Attacked, attacked
from tests.callback_gateway.fuzz.salvo import Salvo
from tests.callback_gateway.world.handlers import HandlerProcess
from tests.chaos.deployment import panics
from tests.chaos.patience import eventually
from zhongkong.runtime.clock import SystemRandomness

pytestmark = pytest.mark.slow

SHOTS = int(os.environ.get("FUZZ", "2000"))
SEED = int(os.environ.get("FUZZ_SEED") or SystemRandomness().token(4), 16)
ROUTE = {"match": {"type": "text"}, "reply": {"type": "text", "content": REPLY}}
_WARM_UP = SHOTS // 4
GROWTH_AT_MOST = 10 * 2**20
"""Of resident memory after the warm-up. It grows by some 9 MiB in the first 20,000 shots, then
it stays."""
_CANARY = re.compile(r"Zq[0-9a-f]{24}")


async def test_hostile_requests_are_refused_and_genuine_ones_answered_in_between(
    tmp_path: Path, handler: HandlerProcess
) -> None:
    say(f"seed {SEED:x}: FUZZ_SEED={SEED:x} repeats it")
    with attacked(tmp_path / "fuzzed", handler, [ROUTE]) as gateway:
        salvo = Salvo(gateway.port, SEED, REPLY)
        await salvo.prepare()
        await salvo.fire(_WARM_UP)
        before = gateway.memory_bytes
        await salvo.fire(SHOTS - _WARM_UP)
        growth = gateway.memory_bytes - before
        report = salvo.report
        say(report.statuses())
        say(f"slowest {report.slowest_s:.3f} s, memory {before >> 20} + {growth >> 20} MiB")

        assert "\n".join(map(str, report.flaws)) == ""
        assert report.unanswered == []
        await nothing_else_is_stored(gateway, report.genuine, report.malformed)
        assert growth <= GROWTH_AT_MOST
    assert panics(gateway.child.output) == []
    assert _CANARY.search(gateway.child.output) is None


async def nothing_else_is_stored(gateway: Attacked, genuine: set[str], malformed: int) -> None:
    async def delivered() -> bool:
        return len(gateway.recorded()) >= len(genuine)

    async def counted() -> bool:
        status = gateway.status()
        held = status["inbox"] and status["inbox"]["events"]
        return bool(held == malformed == status["unreadable_events"])

    await eventually(delivered, "every genuine event is delivered")
    await eventually(counted, f"the inbox holds {malformed} unreadable events and no other")
    contents = [event["data"]["content"] for event in gateway.recorded()]
    assert sorted(contents) == sorted(genuine)
    outcomes: Counter[str] = Counter()
    for (_, outcome), count in gateway.answered().items():
        outcomes[outcome] += count
    assert outcomes["malformed"] == malformed
    assert outcomes.keys() <= {"malformed", "static"}


def say(what: object) -> None:
    """Shown when it fails, and with `pytest -s`."""
    print(what)  # noqa: T201
