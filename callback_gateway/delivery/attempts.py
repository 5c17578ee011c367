"""One attempt: sent, judged, told of. Whoever holds the lease makes it and settles what it gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from callback_gateway.cloud_event import marked
from callback_gateway.inbox.records import Attempt, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from callback_gateway.delivery.outcome import Outcome
    from callback_gateway.delivery.recovery import Recoveries
    from callback_gateway.delivery.reports import Reports
    from callback_gateway.delivery.verdict import Judgement
    from callback_gateway.inbox.records import Delivery
    from callback_gateway.targets import Target
    from zhongkong.runtime.clock import Clock


class Post(Protocol):
    """The way to the targets; http.Sender outside of tests."""

    async def post(
        self, target: Target, event_id: str, document: bytes, *, wants_reply: bool
    ) -> Outcome:
        """Send one document, signed. Never raises for what target and network do."""

    async def close(self) -> None:
        """Close all connections."""


class Attempts:
    """Makes attempts at all targets."""

    def __init__(
        self,
        sender: Post,
        reports: Reports,
        recoveries: Recoveries,
        clock: Clock,
        *,
        recovered: Callable[[str], None],
    ) -> None:
        """`recovered(target)` is called when one that had been failing takes a delivery."""
        self._sender = sender
        self._reports = reports
        self._recoveries = recoveries
        self._clock = clock
        self._recovered = recovered

    async def make(
        self, delivery: Delivery, target: Target, judge: Callable[[Outcome], Judgement]
    ) -> tuple[Judgement, Attempt]:
        """Send it once; `judge` is asked when the outcome is there. Never raises for a target."""
        at, began = self._clock.now(), self._clock.monotonic()
        outcome = await self._sender.post(
            target,
            delivery.event_id,
            marked(delivery.document, delivery.marks),
            wants_reply=delivery.kind is Kind.REPLY,
        )
        ended = self._clock.monotonic()
        judgement = judge(outcome)
        attempt = Attempt(at, ended - began, judgement.outcome)
        self._reports.attempted(delivery, attempt, outcome, judgement)
        if not outcome.delivered:
            self._recoveries.failed(target.name)
        elif self._recoveries.succeeded(target.name, delivery.failures, ended):
            self._recovered(target.name)
        return judgement, attempt
