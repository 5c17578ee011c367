"""While the store is away: serve what is held, and renew in time what may be renewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from token_service.outcome import Denied, Minted, backoff, ending_of
from token_service.rotation import Wait, decide_alone
from token_service.slot import Fence, TokenRecord, version_of
from zhongkong.runtime.logs import get_logger

if TYPE_CHECKING:
    from token_service.environment import Environment
    from token_service.holding import Holding
    from token_service.plan import AccountPlan
    from token_service.policy import Replica
    from token_service.rotation import Fetch
    from token_service.slot import Failure

log = get_logger()

_NEVER_GRANTED = Fence("", -1)


class Alone:
    """Tries without the store. A normal stable fetch needs no lease: all get the same token."""

    def __init__(self, holding: Holding, environment: Environment) -> None:
        self._holding = holding
        self._environment = environment
        self._attempts = 0
        self._next_at = 0.0

    def over(self) -> None:
        """The store is back."""
        self._attempts, self._next_at = 0, 0.0

    async def turn(
        self, plan: AccountPlan, me: Replica, now: float
    ) -> Wait | Failure | TokenRecord:
        """Fetch when it is due: the token, or why there is none; otherwise until when to wait."""
        policy = plan.policy
        action = decide_alone(self._holding.record(now), self._next_at, now, policy)
        if isinstance(action, Wait):
            return action
        sent_at = self._environment.store_clock.steady_now()
        outcome = await self._environment.upstream.fetch(
            plan, action.call, deadline_s=policy.call_deadline_s
        )
        self._attempts += 1
        chance = self._environment.randomness.uniform(0.0, 1.0)
        wait_s = backoff(self._attempts, policy, chance)
        if isinstance(outcome, Minted):
            self._next_at = now + wait_s
            return self._keep(plan, outcome, action, sent_at)
        wait_s = policy.operator_retry_s if isinstance(outcome, Denied) else wait_s
        self._next_at = now + wait_s
        ending = ending_of(outcome, action.call, None, me, now=now, policy=policy, chance=chance)
        return ending.failure or Wait(self._next_at)

    def _keep(self, plan: AccountPlan, minted: Minted, fetch: Fetch, sent_at: float) -> TokenRecord:
        """No other fetch can end this token, so it is served for all its life.

        Its times are this machine's guess: no store takes it back, a fetch there gives it anew.
        """
        slot = plan.slot
        record = TokenRecord(
            value=minted.value,
            version=version_of(slot.appid, slot.kind, minted.value),
            issued_at=sent_at,
            expires_at=sent_at + minted.expires_in_s,
            fetched_at=sent_at,
            fence=_NEVER_GRANTED,
            call=fetch.call,
            cause=fetch.cause,
            made_with=minted.made_with,
        )
        self._holding.keep(record, record.expires_at)
        log.info("token_fetched_without_store", account=plan.name, version=record.version)
        return record
