"""Slots, tokens and the short way through a refresh that the store tests share."""

from __future__ import annotations

from token_service.slot import (
    Call,
    Cause,
    Grant,
    Intent,
    Kind,
    Lease,
    Mode,
    Slot,
    TokenRecord,
    version_of,
)
from token_service.stores.base import TokenStore

CLASSIC = Slot("wx0000000000000001", Kind.ACCESS_TOKEN, Mode.CLASSIC)
STABLE = Slot("wx0000000000000001", Kind.ACCESS_TOKEN, Mode.STABLE)
OTHER = Slot("wx0000000000000002", Kind.ACCESS_TOKEN, Mode.STABLE)

LEASE_S = 15.0
LANDS_S = 15.0
SETTLE_S = 5.0
LIFE_S = 7200.0
WINDOW_S = 10.0


async def granted(
    store: TokenStore, holder: str = "a", *, slot: Slot = CLASSIC, floor: int = 0
) -> Grant:
    grant = await store.acquire(slot, holder, floor=floor, ttl_s=LEASE_S)
    assert grant is not None
    return grant


async def begun(
    store: TokenStore, lease: Lease, *, slot: Slot = CLASSIC, call: Call = Call.CLASSIC
) -> Intent:
    return await store.begin(
        slot, lease, call, Cause.PLANNED, lands_within_s=LANDS_S, ttl_s=LEASE_S
    )


def minted(lease: Lease, intent: Intent, value: str, *, slot: Slot = CLASSIC) -> TokenRecord:
    return TokenRecord(
        value=value,
        version=version_of(slot.appid, slot.kind, value),
        issued_at=intent.sent_at,
        expires_at=intent.sent_at + LIFE_S,
        fetched_at=intent.sent_at,
        fence=lease.fence,
        call=intent.call,
        cause=intent.cause,
    )


async def refreshed(
    store: TokenStore,
    value: str,
    *,
    slot: Slot = CLASSIC,
    call: Call = Call.CLASSIC,
    holder: str = "a",
    floor: int = 0,
) -> TokenRecord:
    """A whole refresh that goes well."""
    lease = (await granted(store, holder, slot=slot, floor=floor)).lease
    intent = await begun(store, lease, slot=slot, call=call)
    record = minted(lease, intent, value, slot=slot)
    assert await store.commit(slot, lease, record)
    return record
