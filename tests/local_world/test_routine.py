from __future__ import annotations

import json

import pytest

from zhongkong.local_world.routine import is_routine


def line(event: str, level: str = "info", **fields: object) -> bytes:
    return json.dumps({"level": level, "event": event, **fields}).encode()


@pytest.mark.parametrize(
    "call",
    [
        line("call_proxied", client="menus", path="/cgi-bin/menu/get"),
        line("request_answered", path="/cgi-bin/menu/get", struck_by=[]),
        line("request_answered", path="/cgi-bin/get_current_selfmenu_info", struck_by=[]),
    ],
)
def test_the_menu_workers_own_calls_are_routine(call: bytes) -> None:
    assert is_routine(call, own_settings=False)


@pytest.mark.parametrize(
    "call",
    [
        line("call_proxied", client="orders", path="/cgi-bin/menu/get"),
        line("request_answered", path="/cgi-bin/stable_token", struck_by=[]),
        line("request_answered", path="/cgi-bin/menu/get", struck_by=["f1"]),
        line("menu_applied", detail="call_proxied"),
        b"plain words of call_proxied and request_answered",
        b'{"event": "call_proxied"',
    ],
)
def test_everybody_elses_and_what_a_fault_struck_are_not(call: bytes) -> None:
    assert not is_routine(call, own_settings=True)


def test_what_is_remarked_on_settings_is_shown_once_people_may_have_changed_them() -> None:
    remark = line("config_notice", "warning", detail="routes: none takes everything")
    assert is_routine(remark, own_settings=True)
    assert not is_routine(remark, own_settings=False)
