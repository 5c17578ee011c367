from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from tests.token_service.running import WeChat, wechat
from tests.token_service.scenarios.events import Events
from token_service.plan import AccountPlan
from token_service.policy import Policy
from token_service.rotator import Rotator
from token_service.served import NoLiveToken, RejectionOutcome
from token_service.slot import Kind, Mode, Slot
from token_service.stores.memory import MemoryTokenStore
from token_service.tickets import TICKET_PATH, TicketUpstream, UpstreamByKind
from token_service.upstream import WeChatUpstream
from zhongkong.emulator.world import DEFAULT_ACCOUNT
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.wechat.transport import WeChatTransport

APPID = DEFAULT_ACCOUNT.appid


@dataclass
class Keeping:
    """A rotator that keeps an account's token and tickets against an emulated WeChat."""

    wechat: WeChat
    rotator: Rotator
    mode: Mode

    def slot(self, kind: Kind) -> Slot:
        return Slot(APPID, kind, self.mode)

    def kill_token(self) -> None:
        world = self.wechat.world
        world.model.console.kill_token(
            APPID, world.time.now(), "classic" if self.mode is Mode.CLASSIC else "stable"
        )


@pytest.fixture(params=list(Mode))
async def keeping(request: pytest.FixtureRequest) -> AsyncIterator[Keeping]:
    async with wechat() as emulator, _keeping(emulator, request.param) as it:
        yield it


@asynccontextmanager
async def _keeping(emulator: WeChat, mode: Mode) -> AsyncIterator[Keeping]:
    clock, randomness = SystemClock(), SystemRandomness()
    transport = WeChatTransport([f"http://127.0.0.1:{emulator.port}"], clock=clock)
    plans = {
        str(kind): AccountPlan(
            "shop",
            Slot(APPID, kind, mode),
            Policy(mode=mode, ticket=kind.is_ticket, reseed_grace_s=0.0),
            lambda: str(DEFAULT_ACCOUNT.secret),
        )
        for kind in Kind
    }
    rotator = Rotator(
        MemoryTokenStore(clock, randomness),
        UpstreamByKind(WeChatUpstream(transport), TicketUpstream(transport, lambda: rotator)),
        plans,
        replica="one",
        clock=clock,
        randomness=randomness,
        observer=Events(clock.now),
    )
    work = asyncio.create_task(rotator.run())
    try:
        yield Keeping(emulator, rotator, mode)
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        await transport.close()


@pytest.mark.parametrize("kind", [Kind.JSAPI_TICKET, Kind.WX_CARD_TICKET])
async def test_a_ticket_is_fetched_with_the_account_s_token_and_kept(
    keeping: Keeping, kind: Kind
) -> None:
    first = await keeping.rotator.get(keeping.slot(kind), wait_s=5)
    again = await keeping.rotator.get(keeping.slot(kind), wait_s=5)

    assert first.value == again.value
    assert keeping.wechat.world.model.ledger.alive(first.value, keeping.rotator.now())


async def test_each_kind_costs_one_call(keeping: Keeping) -> None:
    for kind in (Kind.JSAPI_TICKET, Kind.WX_CARD_TICKET):
        await asyncio.gather(
            *(keeping.rotator.get(keeping.slot(kind), wait_s=5) for _ in range(50))
        )

    assert keeping.wechat.world.model.ledger.calls(TICKET_PATH) == 2


async def test_a_dead_token_met_on_the_way_is_mended_once_and_the_ticket_comes(
    keeping: Keeping,
) -> None:
    await keeping.rotator.get(keeping.slot(Kind.WX_CARD_TICKET), wait_s=5)
    dead = await keeping.rotator.get(keeping.slot(Kind.ACCESS_TOKEN), wait_s=5)
    keeping.kill_token()

    await keeping.rotator.rotate(keeping.slot(Kind.JSAPI_TICKET), reason="test")

    alive = await keeping.rotator.get(keeping.slot(Kind.ACCESS_TOKEN), wait_s=5)
    assert alive.version != dead.version
    assert keeping.wechat.world.model.ledger.alive(alive.value, keeping.rotator.now())


async def test_a_living_ticket_that_is_reported_dead_is_confirmed(keeping: Keeping) -> None:
    slot = keeping.slot(Kind.JSAPI_TICKET)
    served = await keeping.rotator.get(slot, wait_s=5)

    rejection = await keeping.rotator.reject(slot, served.version)

    assert rejection.outcome is RejectionOutcome.CONFIRMED_VALID
    assert rejection.served.value == served.value


async def test_without_a_token_there_is_no_ticket_and_the_reason_says_so(
    keeping: Keeping,
) -> None:
    world = keeping.wechat.world
    world.model.console.freeze(APPID, 50002)

    with pytest.raises(NoLiveToken) as refusal:
        await keeping.rotator.get(keeping.slot(Kind.JSAPI_TICKET), wait_s=0.5)

    assert "token" in refusal.value.detail
