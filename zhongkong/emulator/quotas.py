"""How often an account may call a path, by its kind and by the parameters in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zhongkong.emulator.account import AccountKind
from zhongkong.wechat.limits import REAL, SANDBOX, DailyQuotas

if TYPE_CHECKING:
    from zhongkong.emulator.parameters import Parameters

_TICKETS_A_DAY: Final = 1_000_000  # reported once, unconfirmed


def _documented(path: str, quotas: DailyQuotas) -> int | None:
    """Limits of the paths that the emulator serves; the others have none."""
    return {
        "/cgi-bin/token": quotas.classic_token,
        "/cgi-bin/stable_token": quotas.stable_token,
        "/cgi-bin/ticket/getticket": _TICKETS_A_DAY,
    }.get(path)


def daily_limit(path: str, kind: AccountKind, parameters: Parameters) -> int | None:
    """Calls a day, None = unlimited."""
    if path in parameters.daily_limits:
        return parameters.daily_limits[path]
    return _documented(path, quotas_of(kind))


def quotas_of(kind: AccountKind) -> DailyQuotas:
    return SANDBOX if kind is AccountKind.SANDBOX else REAL


def minute_limit(path: str, kind: AccountKind, parameters: Parameters) -> int | None:
    """Calls a minute, None = unlimited."""
    stable = quotas_of(kind).stable_token_per_minute
    return parameters.minute_limits.get(path, stable if path == "/cgi-bin/stable_token" else None)
