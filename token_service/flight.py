"""One upstream token call: lease, intent, send, commit. The order is the guarantee.

Announced before it is sent, sent only under a fresh lease, stored only under its own fence.
Whatever breaks off in between leaves an intent, which tells any replica what may have happened.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from token_service.outcome import (
    Denied,
    Minted,
    Outcome,
    Unknown,
    Unsent,
    detail_of,
    ending_of,
    outcome_name,
)
from token_service.slot import Abandonment, Intent, TokenRecord, Verdict, version_of
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from token_service.environment import Environment
    from token_service.plan import AccountPlan
    from token_service.policy import Replica
    from token_service.rotation import Fetch
    from token_service.slot import Call, Failure, Grant, Lease

log = get_logger()


class Upstream(Protocol):
    """WeChat's token endpoints. Neither method raises for what WeChat or the network does."""

    async def fetch(self, plan: AccountPlan, call: Call, *, deadline_s: float) -> Outcome:
        """Ask for a token once. Not to be repeated when the outcome is `Unknown`."""

    async def probe(self, plan: AccountPlan, value: str) -> Verdict:
        """Ask whether a token is alive, by one cheap call with it."""


@dataclass(frozen=True, slots=True)
class Unsaid:
    """An outcome that the store hasn't been told yet: a token, or the end of an intent."""

    lease: Lease
    record: TokenRecord | None = None
    intent: Intent | None = None
    ending: Abandonment | None = None


@dataclass(frozen=True, slots=True)
class Landed:
    """How a flight ended. `record`: a token the store took, or will be told of (`unsaid`)."""

    outcome: Outcome
    record: TokenRecord | None = None
    unsaid: Unsaid | None = None
    failure: Failure | None = None


def withdrawn(lease: Lease, fetch: Fetch, now: float) -> Unsaid:
    """A call whose announcement may or may not have reached the store: it was never sent."""
    intent = Intent(lease.fence, lease.holder, fetch.call, fetch.cause, now, now)
    return Unsaid(lease, intent=intent, ending=Abandonment(sent=False, unknown=False))


class Pilot:
    """Flies one slot's calls."""

    def __init__(self, plan: AccountPlan, environment: Environment) -> None:
        self.plan = plan
        self._store = environment.store
        self._upstream = environment.upstream
        self._clock = environment.clock
        self._randomness = environment.randomness
        self._observer = environment.observer

    async def fly(self, grant: Grant, fetch: Fetch, me: Replica) -> Landed:
        """Make the call under the grant. Raises StoreUnavailable or LeaseLost before it is sent.

        Cancelled in the middle it leaves its intent open, for the call may yet take effect.
        """
        policy, lease = self.plan.policy, grant.lease
        started = self._clock.monotonic()
        intent = await self._store.begin(
            self.plan.slot,
            lease,
            fetch.call,
            fetch.cause,
            lands_within_s=policy.lands_within_s,
            ttl_s=policy.lease_ttl_s,
        )
        announced_in_s = self._clock.monotonic() - started
        if announced_in_s > policy.send_margin_s:
            outcome: Outcome = Unsent(f"announcing the call took {announced_in_s:.1f} s: not sent")
        else:
            left_s = policy.call_deadline_s - announced_in_s
            async with self._renewing(lease):
                outcome = await self._upstream.fetch(self.plan, fetch.call, deadline_s=left_s)
        took_s = self._clock.monotonic() - started
        self._observer.call_finished(self.plan.name, fetch.call, outcome_name(outcome), took_s)
        if isinstance(outcome, Minted):
            return await self._commit(lease, intent, outcome, took_s)
        return await self._abandon(grant, intent, outcome, me, took_s)

    async def tell(self, unsaid: Unsaid) -> bool:
        """Tell the store what it missed; False when it refused a token, which is no good any more.

        Raises StoreUnavailable; may be repeated.
        """
        if unsaid.record is not None:
            stored = await self._store.commit(self.plan.slot, unsaid.lease, unsaid.record)
            if not stored:
                self._refused(unsaid.record)
            return stored
        if unsaid.intent is not None and unsaid.ending is not None:
            await self._store.abandon(
                self.plan.slot,
                unsaid.lease,
                unsaid.intent,
                unsaid.ending,
                settle_s=self.plan.policy.settle_s,
            )
        return True

    async def _commit(self, lease: Lease, intent: Intent, minted: Minted, took_s: float) -> Landed:
        slot = self.plan.slot
        record = TokenRecord(
            value=minted.value,
            version=version_of(slot.appid, slot.kind, minted.value),
            issued_at=intent.sent_at,
            expires_at=intent.sent_at + minted.expires_in_s,
            fetched_at=intent.sent_at,
            fence=lease.fence,
            call=intent.call,
            cause=intent.cause,
            made_with=minted.made_with,
        )
        try:
            stored = await self._store.commit(slot, lease, record)
        except StoreUnavailable:
            return Landed(minted, record, unsaid=Unsaid(lease, record=record))
        if not stored:
            self._refused(record)
            return Landed(minted)
        log.info(
            "token_refreshed",
            account=self.plan.name,
            version=record.version,
            cause=intent.cause,
            call=intent.call,
            fence=lease.fence.counter,
            lifetime_s=int(minted.expires_in_s),
            took_ms=int(took_s * 1000),
        )
        return Landed(minted, record)

    async def _abandon(
        self,
        grant: Grant,
        intent: Intent,
        outcome: Unsent | Unknown | Denied,
        me: Replica,
        took_s: float,
    ) -> Landed:
        policy = self.plan.policy
        ending = ending_of(
            outcome,
            intent.call,
            grant.snapshot.state.failure,
            me,
            now=intent.sent_at + took_s,
            policy=policy,
            chance=self._randomness.uniform(0.0, 1.0),
        )
        self._log_failure(intent, outcome, ending)
        unsaid = Unsaid(grant.lease, intent=intent, ending=ending)
        try:
            await self.tell(unsaid)
        except StoreUnavailable:
            return Landed(outcome, unsaid=unsaid, failure=ending.failure)
        return Landed(outcome, failure=ending.failure)

    @asynccontextmanager
    async def _renewing(self, lease: Lease) -> AsyncIterator[None]:
        """Keep the lease while the call is under way; losing it can't call the call back."""

        async def renew() -> None:
            while True:
                await self._clock.sleep(self.plan.policy.lease_ttl_s / 3)
                with suppress(StoreUnavailable):
                    await self._store.renew(
                        self.plan.slot, lease, ttl_s=self.plan.policy.lease_ttl_s
                    )

        renewal = asyncio.create_task(renew(), name=f"lease {self.plan.slot}")
        try:
            yield
        finally:
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)

    def _refused(self, record: TokenRecord) -> None:
        self._observer.commit_refused(self.plan.name)
        log.warning(
            "late_commit_refused",
            account=self.plan.name,
            version=record.version,
            fence=record.fence.counter,
        )

    def _log_failure(self, intent: Intent, outcome: Outcome, ending: Abandonment) -> None:
        failure, refusal = ending.failure, ending.refusal
        remedy = outcome.error.info.remedy if isinstance(outcome, Denied) else None
        log.warning(
            "refresh_failed",
            account=self.plan.name,
            cause=intent.cause,
            call=intent.call,
            outcome=outcome_name(outcome),
            detail=detail_of(outcome),
            errcode=failure.errcode if failure else refusal.errcode if refusal else None,
            rid=failure.rid if failure else None,
            remedy=remedy,
            retry_in_s=round(failure.retry_at - failure.at, 1) if failure else None,
        )
