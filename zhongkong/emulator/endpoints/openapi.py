"""The tools around quotas and requests: clear_quota, quota/get and rid/get."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from zhongkong.emulator.endpoint import Endpoint, Visit, pass_with_secret
from zhongkong.emulator.quotas import daily_limit, minute_limit
from zhongkong.emulator.refusal import OK, Payload, Refusal
from zhongkong.emulator.request import text_field
from zhongkong.wechat.limits import QUOTA_RESETS_PER_MONTH

if TYPE_CHECKING:
    from zhongkong.emulator.account import AccountState

_RID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}")
_UNLIMITED_SHOWN: Final = 100_000_000


def clear_quota(visit: Visit) -> Payload:
    account = visit.recognised()
    if text_field(visit.request.json(), "appid", 41002) != account.appid:
        raise Refusal(40013)
    return _cleared(visit, account)


def clear_quota_by_secret(visit: Visit) -> Payload:
    body = visit.request.json()
    appid = text_field(body, "appid", 41002)
    return _cleared(visit, pass_with_secret(visit, appid, text_field(body, "appsecret", 41004)))


def quota(visit: Visit, served: frozenset[str]) -> Payload:
    path = visit.request.json().get("cgi_path")
    if isinstance(path, str) and path.startswith("/sns/"):
        raise Refusal(76022)
    if not isinstance(path, str) or path not in served:
        raise Refusal(76021)
    account, rules = visit.recognised(), visit.platform.parameters
    account.counters.roll(visit.now, rules.reset_utc_offset_h)
    limit = daily_limit(path, account.kind, rules)
    answer: dict[str, Any] = {
        **OK,
        "quota": _usage(visit, account.counters.daily[path], limit or _UNLIMITED_SHOWN),
    }
    minute = minute_limit(path, account.kind, rules)
    if minute is not None:
        answer["rate_limit"] = {"call_count": minute, "refresh_second": 60}
    return answer


def request_by_rid(visit: Visit) -> Payload:
    rid = visit.request.json().get("rid")
    if not isinstance(rid, str) or not _RID.fullmatch(rid):
        raise Refusal(76002)
    entry = visit.platform.journal.find(rid, visit.now)
    if entry is None:
        raise Refusal(76001)
    if entry.appid != visit.recognised().appid:
        raise Refusal(76003)
    return {**OK, "request": entry.shown()}


def _cleared(visit: Visit, account: AccountState) -> Payload:
    counters = account.counters
    counters.roll(visit.now, visit.platform.parameters.reset_utc_offset_h)
    if counters.clears_this_month >= QUOTA_RESETS_PER_MONTH:
        raise Refusal(48006)
    counters.clears_this_month += 1
    counters.clear_day()
    return OK


def _usage(visit: Visit, used: int, limit: int) -> Payload:
    error = visit.platform.parameters.quota_error
    if error:
        used = round(used * (1 + visit.platform.chance.uniform(-error, error)))
    used = min(used, limit)
    return {"daily_limit": limit, "used": used, "remain": limit - used}


QUOTA_PATH: Final = "/cgi-bin/openapi/quota/get"

ENDPOINTS: Final = (
    Endpoint(
        path="/cgi-bin/clear_quota",
        method="POST",
        credential="token",
        answer=clear_quota,
        counted=False,
    ),
    Endpoint(
        path="/cgi-bin/clear_quota/v2",
        method="POST",
        credential="secret",
        answer=clear_quota_by_secret,
    ),
    Endpoint(
        path="/cgi-bin/openapi/rid/get", method="POST", credential="token", answer=request_by_rid
    ),
)
