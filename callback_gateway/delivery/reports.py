"""What is told of deliveries: a log line an attempt, and the metrics. No content and no address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callback_gateway.inbox.records import Dead, Retry
from zhongkong.runtime.logs import get_logger

if TYPE_CHECKING:
    from callback_gateway.delivery.outcome import Outcome
    from callback_gateway.delivery.verdict import Judgement
    from callback_gateway.inbox.records import Attempt, Delivery
    from callback_gateway.observers import DeliveryObserver

log = get_logger()


class Reports:
    """Tells the log and an observer."""

    def __init__(self, observer: DeliveryObserver) -> None:
        self._observer = observer

    def attempted(
        self, delivery: Delivery, attempt: Attempt, outcome: Outcome, judgement: Judgement
    ) -> None:
        """An attempt ended."""
        self._observer.attempted(delivery.target, attempt.outcome, attempt.took_s)
        facts = {
            "event_id": delivery.event_id,
            "target": delivery.target,
            "kind": delivery.kind.value,
            "attempt": delivery.failures + 1,
            "outcome": attempt.outcome,
            "took_ms": round(attempt.took_s * 1000, 1),
        }
        result = judgement.result
        if outcome.detail:
            facts["detail"] = outcome.detail
        if judgement.flaw is not None:
            facts["flaw"] = judgement.flaw
        if isinstance(result, Retry):
            log.info("delivery_failed", retry_in_s=round(result.after_s, 1), **facts)
        elif isinstance(result, Dead):
            log.info("delivery_failed", **facts)
        else:
            log.debug("delivery_done", **facts)

    def dead(self, delivery: Delivery, reason: str) -> None:
        """A delivery became a dead letter."""
        self._observer.dead(delivery.target, reason)
        log.warning(
            "delivery_dead_lettered",
            event_id=delivery.event_id,
            target=delivery.target,
            kind=delivery.kind.value,
            reason=reason,
        )
