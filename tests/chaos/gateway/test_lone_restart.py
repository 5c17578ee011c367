"""The one gateway on a SQLite file is restarted under load: WeChat's repetitions cover the gap."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.chaos.emulated import EmulatorProcess
from tests.chaos.gateway.telling import tell
from tests.chaos.gateway.world import CLOCK, world
from tests.chaos.rounds import ROUNDS
from tests.fixtures.processes import Launch, spawn

CADENCE_S = 5.0
"""WeChat's own."""
RATE = 25


@pytest.mark.slow
async def test_nobody_sees_a_failure_notice_while_a_lone_gateway_restarts(
    tmp_path: Path, emulator: EmulatorProcess, launch: Launch
) -> None:
    async with world(tmp_path, emulator, launch) as deployed:
        # Started anew, for the gap has to be as long as everywhere.
        replica = deployed.replica("only", launch=spawn)
        await deployed.open()
        codes, gaps_s = [], []
        async with deployed.load(rate=RATE, cadence_s=CADENCE_S) as load:
            for _ in range(ROUNDS):
                await deployed.deliver_one("before the restart")
                began = CLOCK.now()
                codes.append(await replica.end(signal.SIGTERM))
                await replica.start()
                gaps_s.append(CLOCK.now() - began)
                # Nobody is hit by two restarts: that WeChat would not forgive.
                await load.settled()
        reckoning = await deployed.delivered(load)
        notices = await load.notices()
        tell(
            f"{ROUNDS} restarts, each in {max(gaps_s):.1f} s at most: {reckoning}; "
            f"answers: {dict(load.answers)}; notices: {notices}"
        )

    assert set(codes) == {0}
    assert notices == 0
    assert reckoning.answered == reckoning.sent
    assert reckoning.lost == reckoning.unknown == reckoning.split == frozenset()
    assert reckoning.twice == {}
    assert load.answers["connection"] > 0
