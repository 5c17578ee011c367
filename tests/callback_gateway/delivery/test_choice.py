from __future__ import annotations

import base64

from hypothesis import given, strategies as st

from callback_gateway.delivery.choice import POLL_S, pause_s, wanted
from callback_gateway.delivery.places import Places
from callback_gateway.targets import Target, make_target

SECRET = "whsec_" + base64.b64encode(b"x" * 24).decode()


def target(name: str, concurrency: int) -> Target:
    return make_target(name, "http://target", SECRET, concurrency=concurrency)


def test_what_is_wanted_is_what_has_a_place() -> None:
    places = Places()
    for name in ("crm", "crm", "audit"):
        places.take(name)
    targets = {name: target(name, 2) for name in ("crm", "audit", "idle")}
    assert wanted(targets, places) == {"audit": 1, "idle": 2}


def test_fewer_places_than_taken_after_a_reload_want_nothing() -> None:
    places = Places()
    places.take("crm")
    places.take("crm")
    assert wanted({"crm": target("crm", 1)}, places) == {}


@given(st.none() | st.floats(0.0, 1e9), st.integers(0, 10_000))
def test_the_pause_is_neither_nothing_nor_longer_than_the_poll(
    due: float | None, in_vain: int
) -> None:
    assert 0.0 < pause_s(due, in_vain) <= POLL_S


def test_what_is_due_and_cannot_be_leased_is_asked_for_less_and_less() -> None:
    pauses = [pause_s(0.0, in_vain) for in_vain in range(12)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == POLL_S
