"""Refusals that concern the caller's egress address: which codes, which address, how long. PURE."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDRESS_CODES: Final = frozenset({40164, 45035, *range(89501, 89508)})

_ONLY_AT_TOKEN_ENDPOINTS: Final = frozenset({89502, 89504, 89505})
"""Unconfirmed as address codes; elsewhere they may be about mass sending."""

STAND_ASIDE_S: Final[Mapping[int, float]] = {40164: 60.0, 89507: 3600.0, 89506: 86_400.0}
"""How long a process whose address was refused leaves WeChat alone, by code."""

STAND_ASIDE_OTHERWISE_S: Final = 600.0

_NAMED: Final = re.compile(r"invalid ip ([0-9A-Fa-f.:]{2,45})")


def is_refusal(errcode: int, *, at_token_endpoint: bool) -> bool:
    """True when the code is about the caller's address."""
    if errcode in _ONLY_AT_TOKEN_ENDPOINTS:
        return at_token_endpoint
    return errcode in ADDRESS_CODES


def stand_aside_s(errcode: int) -> float:
    return STAND_ASIDE_S.get(errcode, STAND_ASIDE_OTHERWISE_S)


def named_in(errmsg: str) -> str | None:
    """The address that WeChat saw, for people to put on the allowlist; None if it is not told.

    The text is `invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist`.
    """
    found = _NAMED.search(errmsg)
    return found.group(1).rstrip(".:") if found else None
