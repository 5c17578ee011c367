"""Statuses of slots, for tests of what is made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.token_service.fake_source import NOW
from token_service.served import SlotStatus
from token_service.slot import Failure, FailureKind, Kind, Mode, Refusal, Slot

HEALTHY = SlotStatus(
    account="shop",
    slot=Slot("wx0123456789abcdef", Kind.ACCESS_TOKEN, Mode.STABLE),
    live=True,
    version="v1",
    issued_at=NOW,
    expires_at=NOW + 7200,
    expires_in_s=7200,
    next_refresh_at=NOW + 6960,
    last_cause="token_missing",
    last_call="normal",
    in_doubt_since=None,
    waiting_for=None,
    failure=None,
    refusals=(),
    spent={"normal": 3, "forced": 1},
    limits={"normal": 500, "forced": 20},
    foreign_refreshes=0,
    last_foreign_refresh_at=None,
    alarms=(),
)
WRONG_SECRET = Failure(
    FailureKind.OPERATOR, NOW, NOW + 600, 2, "invalid appsecret", errcode=40125, rid="r-1"
)
REFUSED = Refusal("replica-1", 40164, NOW, NOW + 60, "203.0.113.7")


def status(account: str = "shop", **changes: Any) -> SlotStatus:
    return replace(HEALTHY, account=account, **changes)
