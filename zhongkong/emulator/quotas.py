"""How often an account may call a path, by its kind and by the parameters in force."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from zhongkong.emulator.account import AccountKind
from zhongkong.wechat.limits import REAL, SANDBOX, DailyQuotas

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zhongkong.emulator.parameters import Parameters

_TICKETS_A_DAY: Final = 1_000_000  # reported once, unconfirmed


_DOCUMENTED: Final[Mapping[str, Callable[[DailyQuotas], int | None]]] = MappingProxyType(
    {
        "/cgi-bin/token": lambda quotas: quotas.classic_token,
        "/cgi-bin/stable_token": lambda quotas: quotas.stable_token,
        "/cgi-bin/ticket/getticket": lambda _: _TICKETS_A_DAY,
        "/cgi-bin/menu/create": lambda quotas: quotas.menu_create,
        "/cgi-bin/menu/get": lambda quotas: quotas.menu_get,
        "/cgi-bin/menu/delete": lambda quotas: quotas.menu_delete,
        "/cgi-bin/menu/addconditional": lambda quotas: quotas.conditional_menu_add,
        "/cgi-bin/menu/delconditional": lambda quotas: quotas.conditional_menu_delete,
        "/cgi-bin/menu/trymatch": lambda quotas: quotas.conditional_menu_trymatch,
        "/cgi-bin/message/custom/send": lambda quotas: quotas.custom_message_send,
        "/cgi-bin/user/info": lambda quotas: quotas.user_info,
    }
)
"""Limits of the paths that have a published one; the others have none."""


def daily_limit(path: str, kind: AccountKind, parameters: Parameters) -> int | None:
    """Calls a day, None = unlimited."""
    if path in parameters.daily_limits:
        return parameters.daily_limits[path]
    documented = _DOCUMENTED.get(path)
    return None if documented is None else documented(quotas_of(kind))


def quotas_of(kind: AccountKind) -> DailyQuotas:
    return SANDBOX if kind is AccountKind.SANDBOX else REAL


def minute_limit(path: str, kind: AccountKind, parameters: Parameters) -> int | None:
    """Calls a minute, None = unlimited."""
    stable = quotas_of(kind).stable_token_per_minute
    return parameters.minute_limits.get(path, stable if path == "/cgi-bin/stable_token" else None)
