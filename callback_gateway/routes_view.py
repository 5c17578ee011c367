"""PURE: `callback-gateway routes test` in words: who answers, who gets a copy, and who why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callback_gateway.routes import Ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from callback_gateway.routes import Explanation, Facts, Route, Routes


def tell(routes: Routes, facts: Facts) -> Iterator[str]:
    """One line a route, then the decision."""
    what = facts.type if facts.event is None else f"{facts.type} {facts.event}"
    yield f"{what} of {facts.user} to account {facts.account}"
    for told in routes.explain(facts):
        yield f"  {told.route.place}: {told.route.match}: {_verdict(told)}"
    decision = routes.decide(facts)
    if decision.route is None:
        yield "answer: success, for no route answers"
    else:
        yield f"answer: {_answer(decision.route)}, by {decision.route.place}"
    yield f"copies: {', '.join(decision.notify) or 'none'}"


def _verdict(told: Explanation) -> str:
    if told.why_not is not None:
        return f"no, {told.why_not}"
    if told.answers or told.route.reply is None:
        return "yes"
    return "yes, but a route above it answers already"


def _answer(route: Route) -> str:
    if isinstance(route.reply, Ask):
        return f"target {route.reply.target} is asked, within {route.reply_window_s:g} s"
    return "the one that is configured"
