"""Tickets for web pages and cards, fetched with a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from zhongkong.emulator.endpoint import Endpoint, Visit
from zhongkong.emulator.families import FamilyName, Generation, TokenFamily
from zhongkong.emulator.refusal import OK, Payload, Refusal

if TYPE_CHECKING:
    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.parameters import Parameters

_TYPES: Final = frozenset({"jsapi", "wx_card"})


def ticket(visit: Visit) -> Payload:
    kind = visit.request.query.get("type", "")
    if kind not in _TYPES:
        raise Refusal(40035)
    rules, account = visit.platform.parameters, visit.recognised()
    family = _family(visit, account, cast("FamilyName", kind))
    current = family.current
    if current is None or _due(current, visit.now, rules):
        current = _next(family, visit, rules)
    return {**OK, "ticket": current.value, "expires_in": int(current.left(visit.now))}


def _due(current: Generation, now: float, rules: Parameters) -> bool:
    return (
        rules.ticket_rotates
        or not current.alive(now)
        or current.left(now) <= rules.ticket_handover_s
    )


def _next(family: TokenFamily, visit: Visit, rules: Parameters) -> Generation:
    return family.replace(
        visit.now,
        lifetime_s=rules.ticket_lifetime_s,
        old_survives=rules.old_ticket_survives,
        made_with=visit.token if rules.ticket_dies_with_token else None,
    )


def _family(visit: Visit, account: AccountState, kind: FamilyName) -> TokenFamily:
    if kind not in account.tickets:
        account.tickets[kind] = TokenFamily(account.appid, kind, visit.platform)
    return account.tickets[kind]


ENDPOINTS: Final = (
    Endpoint(path="/cgi-bin/ticket/getticket", method="GET", credential="token", answer=ticket),
)
