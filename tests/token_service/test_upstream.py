"""WeChat's token endpoints over HTTP, against the emulator and its faults."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.token_service.running import wechat
from token_service.outcome import Denied, Minted, Outcome, Unknown, Unsent
from token_service.plan import AccountPlan
from token_service.policy import Policy
from token_service.slot import Call, Kind, Mode, Slot, Verdict
from token_service.upstream import (
    PROBE_PATH,
    STABLE_TOKEN_PATH,
    TOKEN_PATH,
    WeChatUpstream,
    probe_verdict,
    token_outcome,
)
from zhongkong.emulator.allowlist import AllowlistSettings
from zhongkong.emulator.faults import Delay, Fault, GarbageForm
from zhongkong.emulator.model import WeChatModel
from zhongkong.emulator.world import DEFAULT_ACCOUNT
from zhongkong.runtime.clock import SystemClock
from zhongkong.wechat.answer import answer_of
from zhongkong.wechat.errors import AddressRefused, OperatorError, QuotaExhausted, Transient
from zhongkong.wechat.transport import WeChatTransport

SLOT = Slot(DEFAULT_ACCOUNT.appid, Kind.ACCESS_TOKEN, Mode.STABLE)
ALL_CALLS = pytest.mark.parametrize("call", [Call.CLASSIC, Call.NORMAL, Call.FORCED])


def plan(secret: str = DEFAULT_ACCOUNT.secret) -> AccountPlan:
    return AccountPlan("shop", SLOT, Policy(), lambda: secret)


@dataclass
class Way:
    """The way to an emulated WeChat."""

    model: WeChatModel
    upstream: WeChatUpstream

    async def fetch(
        self, call: Call = Call.CLASSIC, *, deadline_s: float = 10.0, secret: str | None = None
    ) -> Outcome:
        account = plan(secret) if secret else plan()
        return await self.upstream.fetch(account, call, deadline_s=deadline_s)

    async def probe(self, value: str) -> Verdict:
        return await self.upstream.probe(plan(), value)


@pytest.fixture
async def way() -> AsyncIterator[Way]:
    async with wechat() as running:
        base = f"http://127.0.0.1:{running.port}"
        transport = WeChatTransport([base], clock=SystemClock())
        yield Way(running.world.model, WeChatUpstream(transport))
        await transport.close()


async def minted(way: Way, call: Call = Call.CLASSIC) -> Minted:
    outcome = await way.fetch(call)
    assert isinstance(outcome, Minted)
    return outcome


@ALL_CALLS
async def test_a_token_comes_with_its_lifetime(way: Way, call: Call) -> None:
    outcome = await minted(way, call)
    assert outcome.value == way.model.ledger.issued()[-1].value
    assert outcome.expires_in_s == 7200


async def test_a_normal_call_brings_the_same_token_and_a_forced_one_another(way: Way) -> None:
    first = await minted(way, Call.NORMAL)
    assert (await minted(way, Call.NORMAL)).value == first.value
    assert (await minted(way, Call.FORCED)).value != first.value
    assert way.model.ledger.mints(by="forced") == 1


async def test_each_classic_call_mints_in_its_own_family(way: Way) -> None:
    first, second = await minted(way), await minted(way)
    assert first.value != second.value
    assert way.model.ledger.mints(family="classic") == 2
    assert way.model.ledger.mints(family="stable") == 0


async def test_a_wrong_secret_is_denied_and_does_not_show(way: Way) -> None:
    outcome = await way.fetch(secret="f" * 32)
    assert isinstance(outcome, Denied)
    assert type(outcome.error) is OperatorError
    assert outcome.error.errcode == 40125
    assert outcome.error.rid
    assert outcome.error.info.remedy
    assert "f" * 32 not in f"{outcome!r} {outcome.error}"


@ALL_CALLS
async def test_a_refused_address_is_named(way: Way, call: Call) -> None:
    listed = AllowlistSettings(enabled=True, addresses=("198.51.100.9",))
    way.model.console.set_allowlist(SLOT.appid, listed)
    outcome = await way.fetch(call)
    assert isinstance(outcome, Denied)
    assert isinstance(outcome.error, AddressRefused)
    assert outcome.error.address == "127.0.0.1"


@pytest.mark.parametrize(
    ("errcode", "leaf"), [(45009, QuotaExhausted), (45011, Transient), (50002, OperatorError)]
)
async def test_a_code_that_says_nothing_was_done_is_a_denial(
    way: Way, errcode: int, leaf: type[Exception]
) -> None:
    way.model.faults.add(Fault(kind="errcode", errcode=errcode))
    outcome = await way.fetch()
    assert isinstance(outcome, Denied)
    assert isinstance(outcome.error, leaf)
    assert way.model.ledger.mints() == 0


@pytest.mark.parametrize("when", ["before", "after"])
async def test_busy_is_an_unknown_outcome(way: Way, when: str) -> None:
    """-1 may come before the effect, or after it."""
    early = when == "before"
    way.model.faults.add(
        Fault(kind="errcode", errcode=-1, when="before" if early else "after", count=1)
    )
    outcome = await way.fetch()
    assert isinstance(outcome, Unknown)
    assert outcome.errcode == -1
    assert way.model.ledger.mints() == (0 if early else 1)


@ALL_CALLS
async def test_a_connection_cut_after_the_send_is_unknown_and_not_repeated(
    way: Way, call: Call
) -> None:
    way.model.faults.add(Fault(kind="disconnect", when="after"))
    assert isinstance(await way.fetch(call), Unknown)
    assert way.model.ledger.calls() == 1


@pytest.mark.parametrize("form", ["html_502", "empty", "truncated", "not_json"])
async def test_an_unreadable_answer_is_unknown_and_not_repeated(
    way: Way, form: GarbageForm
) -> None:
    way.model.faults.add(Fault(kind="garbage", when="after", garbage=form))
    assert isinstance(await way.fetch(), Unknown)
    assert way.model.ledger.calls() == 1


async def test_an_answer_that_comes_too_late_is_unknown(way: Way) -> None:
    way.model.faults.add(Fault(kind="latency", when="after", delay=Delay(low_s=30.0)))
    assert isinstance(await way.fetch(deadline_s=0.5), Unknown)


async def test_a_port_where_nobody_listens_is_provably_not_sent() -> None:
    transport = WeChatTransport(["http://127.0.0.1:1"], clock=SystemClock())
    upstream = WeChatUpstream(transport)
    outcome = await upstream.fetch(plan(), Call.CLASSIC, deadline_s=5.0)
    await transport.close()
    assert isinstance(outcome, Unsent)
    assert DEFAULT_ACCOUNT.secret not in outcome.detail


@pytest.mark.parametrize(
    "payload",
    [
        {"expires_in": 7200},
        {"access_token": "", "expires_in": 7200},
        {"access_token": 5, "expires_in": 7200},
        {"access_token": "a token"},
        {"access_token": "a token", "expires_in": 0},
        {"access_token": "a token", "expires_in": "7200"},
    ],
)
def test_an_answer_without_a_usable_token_is_unknown(payload: dict[str, object]) -> None:
    answer = answer_of(payload)
    assert answer is not None
    assert isinstance(token_outcome(answer, TOKEN_PATH), Unknown)


def test_no_life_is_believed_to_be_longer_than_a_day() -> None:
    answer = answer_of({"access_token": "a token", "expires_in": 10**9})
    assert answer is not None
    assert token_outcome(answer, STABLE_TOKEN_PATH) == Minted("a token", 86_400.0)


async def test_a_probe_tells_a_living_token_from_a_dead_one(way: Way) -> None:
    token = await minted(way)
    assert await way.probe(token.value) is Verdict.ALIVE
    way.model.console.kill_token(SLOT.appid, way.model.ledger.issued()[-1].at, "classic")
    assert await way.probe(token.value) is Verdict.DEAD
    assert await way.probe("never issued") is Verdict.DEAD


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(kind="disconnect", path=PROBE_PATH), id="cut off"),
        pytest.param(Fault(kind="garbage", path=PROBE_PATH), id="unreadable"),
        pytest.param(Fault(kind="errcode", path=PROBE_PATH, errcode=-1), id="busy"),
    ],
)
async def test_a_probe_without_an_answer_is_inconclusive(way: Way, fault: Fault) -> None:
    token = await minted(way)
    way.model.faults.add(fault)
    assert await way.probe(token.value) is Verdict.INCONCLUSIVE


async def test_a_probe_that_takes_too_long_is_inconclusive(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await minted(way)
    way.model.faults.add(Fault(kind="latency", path=PROBE_PATH, delay=Delay(low_s=30.0)))
    monkeypatch.setattr(way.upstream, "_probe_deadline_s", 0.3)
    assert await way.probe(token.value) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("errcode", "verdict"),
    [
        (0, Verdict.ALIVE),
        (40001, Verdict.DEAD),
        (40014, Verdict.DEAD),
        (42001, Verdict.DEAD),
        pytest.param(45009, Verdict.ALIVE, id="a quota is counted under a living token"),
        (-1, Verdict.INCONCLUSIVE),
        (48001, Verdict.INCONCLUSIVE),
        (99999, Verdict.INCONCLUSIVE),
    ],
)
def test_only_a_token_code_says_that_a_token_is_dead(errcode: int, verdict: Verdict) -> None:
    assert probe_verdict(errcode) is verdict
