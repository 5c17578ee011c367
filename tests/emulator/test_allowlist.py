"""Which addresses may fetch tokens, and the confirmation of risky ones."""

from __future__ import annotations

import pytest

from tests.emulator.platforms import APPID, NOW, SECRET, account, code_of, listed, platform
from zhongkong.emulator.account import AccountKind
from zhongkong.emulator.allowlist import AllowlistSettings
from zhongkong.emulator.model import WeChatModel

PEER = "203.0.113.9"


def risky() -> WeChatModel:
    return platform(account(allowlist=AllowlistSettings(confirmation=True)))


def fetch(model: WeChatModel, now: float, peer: str = PEER) -> int:
    return code_of(model.stable_token(APPID, SECRET, False, now, peer))


@pytest.mark.parametrize(
    ("peer", "code"),
    [("192.0.2.7", 0), ("192.0.2.9", 40164), ("198.51.100.200", 0), ("::ffff:192.0.2.7", 0)],
)
def test_single_addresses_and_networks_are_listed(peer: str, code: int) -> None:
    model = platform(account(allowlist=listed("192.0.2.7", "198.51.100.0/24")))
    assert fetch(model, NOW, peer) == code
    assert code_of(model.token(APPID, SECRET, NOW, peer)) == code


def test_an_empty_allowlist_refuses_everybody_and_a_disabled_one_nobody() -> None:
    assert fetch(platform(account(allowlist=listed())), NOW) == 40164
    assert fetch(platform(account(allowlist=AllowlistSettings(addresses=("1.2.3.4",)))), NOW) == 0


def test_mini_programs_need_no_allowlist() -> None:
    kind = AccountKind.MINI_PROGRAM
    assert fetch(platform(account(kind=kind, allowlist=listed())), NOW) == 0


def test_a_changed_allowlist_works_at_once() -> None:
    model = platform(account(allowlist=listed()))
    model.console.set_allowlist(APPID, listed(PEER))
    assert fetch(model, NOW) == 0


def test_a_risky_address_waits_for_the_administrator_and_is_then_let_in() -> None:
    model = risky()
    assert [fetch(model, NOW), fetch(model, NOW + 1)] == [89503, 89501]
    model.console.approve(APPID, PEER)
    assert fetch(model, NOW + 2) == 0
    assert fetch(model, NOW + 3, "203.0.113.10") == 89503


def test_one_refusal_blocks_for_an_hour_and_then_asks_again() -> None:
    model = risky()
    fetch(model, NOW)
    model.console.refuse(APPID, PEER, NOW)
    assert fetch(model, NOW + 3599) == 89507
    assert fetch(model, NOW + 3600) == 89503


def test_two_refusals_within_a_day_block_for_a_day() -> None:
    model = risky()
    model.console.refuse(APPID, PEER, NOW)
    model.console.refuse(APPID, PEER, NOW + 4000)
    assert fetch(model, NOW + 4000 + 86_399) == 89506
    assert fetch(model, NOW + 4000 + 86_400) == 89503


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.4/33", "example.com"])
def test_a_bad_address_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="no address or network"):
        listed(text)
