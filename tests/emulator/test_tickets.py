"""GET /cgi-bin/ticket/getticket."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.platforms import APPID, NOW, classic, platform
from zhongkong.emulator.model import WeChatModel


def fetch(model: WeChatModel, token: str, now: float = NOW, kind: str = "jsapi") -> dict[str, Any]:
    return model.call("/cgi-bin/ticket/getticket", token, now, query={"type": kind})


def test_success_carries_errcode_0_unlike_a_token() -> None:
    model = platform()
    answer = fetch(model, classic(model))
    assert set(answer) == {"errcode", "errmsg", "ticket", "expires_in"}
    assert (answer["errcode"], answer["errmsg"], answer["expires_in"]) == (0, "ok", 7200)


def test_the_same_ticket_is_given_until_its_last_minutes() -> None:
    model = platform()
    first = fetch(model, classic(model))
    token = classic(model, NOW + 6000)
    again = fetch(model, token, NOW + 6800)
    assert (again["ticket"], again["expires_in"]) == (first["ticket"], 400)
    assert fetch(model, token, NOW + 6900)["ticket"] != first["ticket"]


def test_each_type_has_its_own_ticket_and_others_are_refused() -> None:
    model = platform()
    token = classic(model)
    assert fetch(model, token)["ticket"] != fetch(model, token, kind="wx_card")["ticket"]
    assert fetch(model, token, kind="JSAPI")["errcode"] == 40035


@pytest.mark.parametrize("survives", [True, False])
def test_a_rotating_ticket_lets_the_old_one_live_as_configured(survives: bool) -> None:
    model = platform(ticket_rotates=True, old_ticket_survives=survives)
    token = classic(model)
    old, new = fetch(model, token)["ticket"], fetch(model, token)["ticket"]
    assert old != new
    assert model.ledger.alive(old, NOW + 1) is survives


def test_a_ticket_outlives_its_token_unless_so_configured() -> None:
    for tied in (False, True):
        model = platform(ticket_dies_with_token=tied)
        ticket = fetch(model, classic(model))["ticket"]
        model.console.kill_token(APPID, NOW + 1, "classic")
        assert model.ledger.alive(ticket, NOW + 2) is not tied
        token = classic(model, NOW + 2)
        assert (fetch(model, token, NOW + 2)["ticket"] == ticket) is not tied
