"""The two token endpoints: classic, where each call mints, and stable, where most don't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zhongkong.emulator.endpoint import (
    Endpoint,
    Visit,
    pass_with_address,
    pass_with_secret,
    spend,
)
from zhongkong.emulator.refusal import Payload, Refusal
from zhongkong.emulator.request import text_field

if TYPE_CHECKING:
    from zhongkong.emulator.account import AccountState
    from zhongkong.emulator.families import Generation, Minter
    from zhongkong.emulator.parameters import Parameters

GRANT_TYPE: Final = "client_credential"


def classic_token(visit: Visit) -> Payload:
    query = visit.request.query
    _check_grant(query.get("grant_type"))
    appid = text_field(query, "appid", 41002)
    secret = text_field(query, "secret", 41004)
    account = _admitted(visit, appid, secret)
    spend(visit)
    rules = visit.platform.parameters
    return _handed_out(account.classic.mint(visit.now, rules, by="client"), visit.now)


def stable_token(visit: Visit) -> Payload:
    body = visit.request.json()
    _check_grant(body.get("grant_type"))
    appid = text_field(body, "appid", 41002)
    secret = text_field(body, "secret", 41004)
    forced = body.get("force_refresh", False)
    if not isinstance(forced, bool):
        raise Refusal(47001)
    account = _admitted(visit, appid, secret)
    spend(visit)
    rules = visit.platform.parameters
    if forced and _may_force(account, visit.now, rules):
        account.last_forced_at = visit.now
        account.counters.forced_today += 1
        token = account.stable.mint_forced(visit.now, rules, by="forced")
    else:
        token = current_or_next(account, visit.now, rules, by="client")
    return _handed_out(token, visit.now)


def current_or_next(
    account: AccountState, now: float, rules: Parameters, *, by: Minter
) -> Generation:
    """What a normal stable call gives: the current token until its last minutes, then the next."""
    current = account.stable.current
    if current is not None and current.left(now) > rules.handover_s:
        still_believed = current.cause == "killed" and not rules.tokens_lost_on_kill
        if current.alive(now) or still_believed:
            return current
    return account.stable.mint(now, rules, by=by)


def _may_force(account: AccountState, now: float, rules: Parameters) -> bool:
    """True to mint by force, False to answer as a normal call."""
    last = account.last_forced_at
    if last is not None and 0 <= now - last < rules.forced_interval_s:
        if rules.forced_too_soon != "current":
            raise Refusal(int(rules.forced_too_soon))
        return False
    if account.counters.forced_today >= rules.forced_daily:
        if rules.forced_over_quota != "current":
            raise Refusal(int(rules.forced_over_quota))
        return False
    return True


def _admitted(visit: Visit, appid: str, secret: str) -> AccountState:
    account = pass_with_secret(visit, appid, secret)
    if account.token_barred:
        raise Refusal(50004)
    pass_with_address(visit)
    return account


def _check_grant(value: object) -> None:
    if value != GRANT_TYPE:
        raise Refusal(40002)


def _handed_out(token: Generation, now: float) -> Payload:
    return {"access_token": token.value, "expires_in": int(token.left(now))}


ENDPOINTS: Final = (
    Endpoint(
        path="/cgi-bin/token",
        method="GET",
        credential="secret",
        answer=classic_token,
        any_method_if=lambda platform: platform.parameters.classic_accepts_post,
    ),
    Endpoint(path="/cgi-bin/stable_token", method="POST", credential="secret", answer=stable_token),
)
