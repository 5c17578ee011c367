"""The one gateway on a SQLite file is restarted under load: WeChat's repetitions cover the gap."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.chaos.emulated import EmulatorProcess
from tests.chaos.gateway.telling import tell
from tests.chaos.gateway.world import world
from tests.chaos.rounds import ROUNDS

RESTARTS = max(2, ROUNDS)
CADENCE_S = 2.5
"""Of WeChat's 5 s; a restart takes about two."""


@pytest.mark.slow
async def test_nobody_sees_a_failure_notice_while_a_lone_gateway_restarts(
    tmp_path: Path, emulator: EmulatorProcess
) -> None:
    async with world(tmp_path, emulator) as deployed:
        replica = deployed.replica("only")
        await deployed.open()
        codes, caught = [], []
        async with deployed.load(cadence_s=CADENCE_S) as load:
            for _ in range(RESTARTS):
                codes.append(await replica.end(signal.SIGTERM))
                caught += await deployed.push("into the gap", 1, cadence_s=CADENCE_S)
                await replica.start()
                # Nobody is hit by two restarts: that WeChat would not forgive.
                await load.settled()
        reckoning = await deployed.delivered(load)
        tell(f"{RESTARTS} restarts: {reckoning}; tries: {dict(load.answers)}")
        notices = await load.notices()
        last_tries = [(await deployed.tries(push))[-1] for push in caught]

    assert set(codes) == {0}
    assert notices == 0
    assert reckoning.answered == reckoning.sent
    assert reckoning.lost == reckoning.unknown == reckoning.split == frozenset()
    assert reckoning.twice == {}
    assert min(each["try"] for each in last_tries) > 1
