"""What the rotation is told of an account."""

from __future__ import annotations

from token_service.plan import AccountPlan
from token_service.policy import Policy
from token_service.slot import Kind, Mode, Slot

SECRET = "0123456789abcdef0123456789abcdef"


def plan(secret: str = SECRET, appid: str = "wx0123456789abcdef") -> AccountPlan:
    return AccountPlan(
        "shop", Slot(appid, Kind.ACCESS_TOKEN, Mode.STABLE), Policy(), lambda: secret
    )


def test_a_fingerprint_tells_one_secret_from_the_next() -> None:
    assert plan().credential() == plan().credential()
    assert plan().credential() != plan("f" * 32).credential()


def test_a_secret_shared_by_two_accounts_has_two_fingerprints() -> None:
    assert plan().credential() != plan(appid="wxfedcba9876543210").credential()


def test_a_fingerprint_is_too_short_to_reveal_the_secret() -> None:
    assert len(plan().credential()) == 8


def test_a_plan_shows_no_secret() -> None:
    assert SECRET not in repr(plan())


def test_the_secret_is_read_anew_each_time() -> None:
    secrets = iter(["before", "after"])
    slot = Slot("wx0123456789abcdef", Kind.ACCESS_TOKEN, Mode.STABLE)
    changing = AccountPlan("shop", slot, Policy(), lambda: next(secrets))
    assert changing.credential() != changing.credential()
