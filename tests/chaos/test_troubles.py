"""What only a person can mend: shown everywhere, with cause and remedy, and WeChat left in peace.

All troubles are set up at once in one deployment, whose readers never stop asking; the tests look
at what was collected there.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.deployment import Account, Deployment, deployed
from tests.chaos.emulated import EmulatorProcess
from tests.chaos.patience import eventually
from tests.chaos.readers import Load
from tests.chaos.replica import Replica
from tests.fixtures.processes import Launch
from tests.fixtures.redis import RedisServer
from zhongkong.wechat.codes import ERROR_CODES

pytestmark = pytest.mark.slow

PAUSE_S = 0.05
ASKING_ON = 60
WELL = "well"


@dataclass(frozen=True)
class Trouble:
    """What WeChat says to an account, and the alarm that must ring for it."""

    errcode: int
    alarm: str
    calls_at_most: int


TROUBLES = {
    "wrong_secret": Trouble(40125, "operator_error", 2),
    "frozen_account": Trouble(50002, "operator_error", 2),
    "address_not_listed": Trouble(40164, "parked_all_addresses_refused", 2),
    "spent_quota": Trouble(45009, "no_live_token", 2),
}


@dataclass
class Evidence:
    """What two replicas showed after readers had asked for about 6 s."""

    statuses: list[dict[str, Any]]
    metrics: list[str]
    shown: list[str]
    logs: list[str]
    load: Load
    calls: dict[str, int] = field(default_factory=dict)

    def slots(self, account: str) -> list[dict[str, Any]]:
        tokens = [token for status in self.statuses for token in status["tokens"]]
        return [token for token in tokens if token["account"] == account]


async def set_up(deployment: Deployment) -> list[Account]:
    wrong = await deployment.account("wrong_secret")
    deployment.secret_file(wrong).write_text(deployment.new_key("a wrong secret")[:32])
    frozen = await deployment.account("frozen_account", frozen=50002)
    walls = {"enabled": True, "addresses": ["192.0.2.1"]}
    walled = await deployment.account("address_not_listed", allowlist=walls)
    spent = await deployment.account("spent_quota", "classic")
    fault = {"kind": "errcode", "errcode": 45009, "path": "/cgi-bin/*token", "appid": spent.appid}
    await deployment.wechat.control("POST", "/faults", fault)
    return [wrong, frozen, walled, spent, await deployment.account(WELL)]


async def settled(replicas: list[Replica]) -> None:
    """Until each replica tells of every account's first outcome.

    That takes two heartbeats, for a refusal counts only while its replica is known to live.
    """

    async def all_known() -> bool:
        slots = [slot for replica in replicas for slot in (await replica.status())["tokens"]]
        return all(s["live"] or s["failure"] or len(s["refused_addresses"]) == 2 for s in slots)

    await eventually(all_known, "every account had an outcome")


async def collect(folder: Path, process: EmulatorProcess, launch: Launch, store: str) -> Evidence:
    async with deployed(folder, process, launch) as deployment:
        accounts = await set_up(deployment)
        replicas = [deployment.replica(name, store=store) for name in ("one", "two")]
        await asyncio.gather(*(replica.start() for replica in replicas))
        served = [await replica.get(WELL, "?wait=20") for replica in replicas]
        assert {answer.status for answer in served} == {200}
        async with Load(replicas, accounts, query="?wait=0", pause_s=PAUSE_S) as load:
            await settled(replicas)
            await load.go_on(ASKING_ON)
        evidence = Evidence(
            statuses=[await replica.status() for replica in replicas],
            metrics=[await replica.metrics() for replica in replicas],
            shown=[(await replica.command("status")).output for replica in replicas],
            logs=[replica.log for replica in replicas],
            load=load,
        )
        for account in accounts:
            requests = await deployment.wechat.requests(account.appid)
            evidence.calls[account.name] = len(requests)
        await deployment.wechat.clear_faults()
        return evidence


@pytest.fixture(scope="module")
def evidence(
    tmp_path_factory: pytest.TempPathFactory,
    emulator: EmulatorProcess,
    launch: Launch,
    redis_process: RedisServer,
) -> Evidence:
    redis_process.start()
    redis_process.flush()
    folder = tmp_path_factory.mktemp("troubles")
    return asyncio.run(collect(folder, emulator, launch, redis_process.url))


@pytest.fixture(params=TROUBLES)
def account(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def remedy(account: str) -> str:
    return ERROR_CODES[TROUBLES[account].errcode].remedy


def test_a_trouble_is_in_the_status_document_with_cause_and_remedy(
    evidence: Evidence, account: str
) -> None:
    for slot in evidence.slots(account):
        told = [*filter(None, [slot["failure"]]), *slot["refused_addresses"]]
        assert {each["errcode"] for each in told} == {TROUBLES[account].errcode}
        assert {each["remedy"] for each in told} == {remedy(account)}
        assert TROUBLES[account].alarm in slot["alarms"]
        assert not slot["live"]


def test_a_trouble_is_in_the_metrics(evidence: Evidence, account: str) -> None:
    alarm = TROUBLES[account].alarm
    for text in evidence.metrics:
        lines = [line for line in text.splitlines() if f'account="{account}"' in line]
        assert any(f'alarm="{alarm}"' in line and line.endswith(" 1.0") for line in lines)
        assert any(shows_cause(line, TROUBLES[account]) for line in lines)


def shows_cause(line: str, trouble: Trouble) -> bool:
    refusals = "refused_addresses{" in line and line.endswith(" 2.0")
    return refusals or (f'errcode="{trouble.errcode}"' in line and line.endswith(" 1.0"))


def test_a_trouble_is_shown_to_who_runs_the_status_command(
    evidence: Evidence, account: str
) -> None:
    for text in evidence.shown:
        line = next(line for line in text.splitlines() if line.startswith(f"{account}: "))
        assert str(TROUBLES[account].errcode) in line
        assert remedy(account) in line


def test_a_trouble_is_in_the_log_with_cause_and_remedy(evidence: Evidence, account: str) -> None:
    lines = "\n".join(evidence.logs).splitlines()
    failed = [line for line in lines if '"refresh_failed"' in line and f'"{account}"' in line]
    assert failed
    for line in failed:
        assert f'"errcode":{TROUBLES[account].errcode}' in line
        assert remedy(account) in line


def test_a_trouble_makes_readers_wait_and_spares_wechat(evidence: Evidence, account: str) -> None:
    reads = [read for read in evidence.load.reads if read.account == account]

    assert {read.status for read in reads} == {503}
    assert len(reads) > 100
    assert 1 <= evidence.calls[account] <= TROUBLES[account].calls_at_most


def test_an_account_without_trouble_is_served_all_the_while(evidence: Evidence) -> None:
    reads = [read for read in evidence.load.reads if read.account == WELL]

    assert {read.status for read in reads} == {200}
    assert evidence.calls[WELL] == 1
    assert all(slot["alarms"] == [] for slot in evidence.slots(WELL))
    assert evidence.load.unanswered == []
