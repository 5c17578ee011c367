from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, strategies as st

from token_service.clients import Caller, Clients, Verb
from zhongkong.runtime.bearer import digest_of
from zhongkong.runtime.settings import Glob

KEY = "0123456789abcdefghijklmnopqrstuv"


def make(*verbs: Verb, accounts: tuple[str, ...] = ("shop-*",), key: str = KEY) -> Caller:
    digest = hashlib.sha256(key.encode()).digest()
    globs = tuple(map(Glob, accounts))
    return Caller("orders", digest, globs, (Glob("access_token"),), frozenset(verbs))


def test_a_client_is_known_by_its_key() -> None:
    caller = make(Verb.READ)

    assert Clients([caller]).caller_of(f"Bearer {KEY}") is caller
    assert Clients([caller]).caller_of(f"bearer {KEY} ") is caller


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer ", KEY, f"Basic {KEY}", f"Bearer{KEY}"]
)
def test_nobody_is_known_by_anything_else(authorization: str | None) -> None:
    assert Clients([make(Verb.READ)]).caller_of(authorization) is None


def test_a_key_of_less_than_24_characters_opens_nothing_even_when_configured() -> None:
    assert Clients([make(Verb.READ, key="k" * 23)]).caller_of("Bearer " + "k" * 23) is None
    assert Clients([make(Verb.READ, key="k" * 24)]).caller_of("Bearer " + "k" * 24) is not None


@given(st.text())
def test_no_header_makes_the_look_up_fail(text: str) -> None:
    assert len(digest_of(f"Bearer {text}".encode("utf-8", "replace").decode())) in {0, 32}


def test_a_right_holds_for_the_accounts_and_kinds_that_the_globs_name() -> None:
    caller = make(Verb.READ)

    assert caller.may(Verb.READ, "shop-1", "access_token")
    assert not caller.may(Verb.READ, "bank", "access_token")
    assert not caller.may(Verb.READ, "shop-1", "jsapi_ticket")


@pytest.mark.parametrize("verb", list(Verb))
def test_no_right_brings_another_with_it(verb: Verb) -> None:
    caller = make(verb)

    assert [v for v in Verb if caller.may(v, "shop-1", "access_token")] == [verb]


def test_a_client_without_verbs_sees_nothing() -> None:
    assert not make().sees("shop-1", "access_token")
    assert make(Verb.SIGN).sees("shop-1", "access_token")


def test_a_key_is_never_part_of_a_client() -> None:
    assert KEY not in repr(make(Verb.READ))
