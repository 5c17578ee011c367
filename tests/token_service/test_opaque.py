"""Opaque tokens: whom they admit, for how long, and that nothing else is ever admitted."""

from __future__ import annotations

import re
import string
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from token_service.opaque import (
    AHEAD_S,
    GRACE_S,
    LENGTH_AT_MOST,
    LIFE_S,
    NONCE_BYTES,
    PREFIX,
    Invalid,
    OpaqueClaims,
    OpaqueKeyRefused,
    OpaqueTokens,
    Why,
    _text_of,
)

NOW = 1_800_000_000.0
KEYS = ("the first key, long enough to be one", "the second key, long enough to be one")
NONCE = bytes(range(NONCE_BYTES))
TOKENS = OpaqueTokens(KEYS[:1])
CLAIMS = OpaqueClaims("orders", "shop", "access_token", NOW)
ALPHABET = string.ascii_letters + string.digits + "-_"

NAMES = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=64)
NONCES = st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES)


def mint(tokens: OpaqueTokens = TOKENS, claims: OpaqueClaims = CLAIMS) -> str:
    return tokens.mint(
        claims.client, claims.account, claims.kind, now=claims.issued_at, nonce=NONCE
    )


def verify(
    text: str,
    now: float = NOW,
    tokens: OpaqueTokens = TOKENS,
    revoked_before: dict[str, float] | None = None,
    client: str | None = None,
    account: str | None = None,
    kind: str | None = None,
) -> OpaqueClaims | Invalid:
    return tokens.verify(
        text,
        now,
        revoked_before=revoked_before or {},
        client=client,
        account=account,
        kind=kind,
    )


@given(client=NAMES, account=NAMES, kind=NAMES, nonce=NONCES, at=st.floats(0, 4e9))
def test_a_token_says_to_whom_for_what_and_when_it_was_given(
    client: str, account: str, kind: str, nonce: bytes, at: float
) -> None:
    text = TOKENS.mint(client, account, kind, now=at, nonce=nonce)
    assert verify(text, at) == OpaqueClaims(client, account, kind, at)


@given(client=NAMES, account=NAMES, kind=NAMES, nonce=NONCES)
def test_a_token_looks_like_wechat_s(client: str, account: str, kind: str, nonce: bytes) -> None:
    text = TOKENS.mint(client, account, kind, now=NOW, nonce=nonce)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", text)
    assert 64 <= len(text) <= LENGTH_AT_MOST


def test_equal_inputs_give_different_tokens() -> None:
    other = TOKENS.mint("orders", "shop", "access_token", now=NOW, nonce=bytes(NONCE_BYTES))
    assert other != mint()
    assert verify(other) == verify(mint()) == CLAIMS


def test_a_token_shows_nothing_of_what_it_says() -> None:
    text = TOKENS.mint("aaaaaaaaaaaaaaaa", "a", "access_token", now=NOW, nonce=bytes(NONCE_BYTES))
    assert "AAAA" not in text[len(PREFIX) + 32 :]
    assert "YWFh" not in text


@given(place=st.integers(0, 10_000), character=st.sampled_from(ALPHABET + ".=+/ \n"))
def test_a_token_with_one_other_character_is_refused(place: int, character: str) -> None:
    text = mint()
    place %= len(text)
    changed = text[:place] + character + text[place + 1 :]
    assert (changed == text) is isinstance(verify(changed), OpaqueClaims)


@given(st.text() | st.text(ALPHABET, min_size=40) | st.text(ALPHABET).map(lambda s: PREFIX + s))
def test_no_other_text_is_a_token(text: str) -> None:
    assert isinstance(verify(text), Invalid)


@given(raw=st.binary(min_size=45, max_size=300))
def test_no_other_bytes_are_a_token(raw: bytes) -> None:
    known_key = TOKENS._id + raw
    assert isinstance(verify(PREFIX + _text_of(raw)), Invalid)
    assert verify(PREFIX + _text_of(known_key)) == Invalid(Why.ALTERED)


@given(cut=st.integers(0, 200), more=st.text(ALPHABET, max_size=20))
def test_a_token_that_is_cut_or_prolonged_is_refused(cut: int, more: str) -> None:
    text = mint()
    changed = text[: max(0, len(text) - cut)] + more
    assert (changed == text) is isinstance(verify(changed), OpaqueClaims)


def test_every_spelling_but_one_is_refused() -> None:
    """Of the last character of base64 some bits count for nothing."""
    spellings = [mint()[:-1] + character for character in ALPHABET]
    assert sum(isinstance(verify(text), OpaqueClaims) for text in spellings) == 1


@pytest.mark.parametrize("text", ["", PREFIX, "=" * 100, "é" * 100, PREFIX + "é" * 100, "\0"])
def test_oddities_are_not_ours(text: str) -> None:
    assert verify(text) == Invalid(Why.NOT_OURS)


def test_very_long_texts_are_not_ours() -> None:
    assert verify(PREFIX + "A" * 1_000_000) == Invalid(Why.NOT_OURS)


def test_a_token_admits_to_what_it_was_given_for_alone() -> None:
    text = mint()
    assert verify(text, client="orders", account="shop", kind="access_token") == CLAIMS
    for wrong in ("", "orders2", "shop"):
        assert verify(text, client=wrong) == Invalid(Why.WRONG_CLIENT)
    for wrong in ("", "shop2", "orders"):
        assert verify(text, account=wrong) == Invalid(Why.WRONG_ACCOUNT)
    for wrong in ("", "jsapi_ticket", "shop"):
        assert verify(text, kind=wrong) == Invalid(Why.WRONG_KIND)


@given(first=NAMES, second=NAMES, third=NAMES)
def test_names_cannot_be_shifted_into_each_other(first: str, second: str, third: str) -> None:
    claims = OpaqueClaims(first + second, third, "access_token", NOW)
    if len(claims.client) <= 64:
        assert verify(mint(claims=claims), client=first, account=second + third) == Invalid(
            Why.WRONG_CLIENT
        )


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [
        pytest.param(-AHEAD_S - 0.001, Invalid(Why.NOT_YET), id="too far ahead"),
        pytest.param(-AHEAD_S, CLAIMS, id="another replica's clock may be a little ahead"),
        pytest.param(0, CLAIMS, id="at once"),
        pytest.param(LIFE_S, CLAIMS, id="at its advertised end"),
        pytest.param(LIFE_S + GRACE_S - 0.001, CLAIMS, id="at the end of the grace"),
        pytest.param(LIFE_S + GRACE_S, Invalid(Why.EXPIRED), id="after the grace"),
        pytest.param(10 * LIFE_S, Invalid(Why.EXPIRED), id="long after"),
    ],
)
def test_how_long_a_token_lives(age_s: float, expected: OpaqueClaims | Invalid) -> None:
    assert verify(mint(), NOW + age_s) == expected


def test_what_was_given_before_a_revocation_is_void() -> None:
    assert verify(mint(), revoked_before={"orders": NOW + 0.001}) == Invalid(Why.REVOKED)


def test_what_is_given_after_a_revocation_is_good() -> None:
    assert verify(mint(), revoked_before={"orders": NOW}) == CLAIMS


def test_the_revocation_of_one_client_is_not_another_s() -> None:
    assert verify(mint(), revoked_before={"billing": NOW + 100}) == CLAIMS


def test_who_knows_of_a_revocation_gives_tokens_that_outlast_it() -> None:
    text = TOKENS.mint(
        "orders", "shop", "access_token", now=NOW, nonce=NONCE, revoked_before=NOW + 2
    )
    after = replace(CLAIMS, issued_at=NOW + 2)
    assert verify(text, revoked_before={"orders": NOW + 2}) == after


def test_the_first_key_seals_and_every_key_opens() -> None:
    old, new = mint(OpaqueTokens(KEYS[:1])), mint(OpaqueTokens(KEYS[::-1]))
    assert verify(old, tokens=OpaqueTokens(KEYS[::-1])) == CLAIMS
    assert verify(new, tokens=OpaqueTokens(KEYS[1:])) == CLAIMS
    assert verify(new, tokens=OpaqueTokens(KEYS[:1])) == Invalid(Why.UNKNOWN_KEY)


def test_a_key_that_is_taken_away_takes_its_tokens_along() -> None:
    assert verify(mint(), tokens=OpaqueTokens(KEYS[1:])) == Invalid(Why.UNKNOWN_KEY)


def test_replicas_with_equal_keys_read_each_other_s_tokens() -> None:
    assert verify(mint(OpaqueTokens(KEYS)), tokens=OpaqueTokens(KEYS)) == CLAIMS


@pytest.mark.parametrize(
    ("keys", "message"), [((), "at least one"), (("x" * 31,), "key 1"), ((KEYS[0], ""), "key 2")]
)
def test_keys_that_protect_nothing_are_refused_unshown(keys: tuple[str, ...], message: str) -> None:
    with pytest.raises(OpaqueKeyRefused, match=message) as raised:
        OpaqueTokens(keys)
    assert "xxx" not in str(raised.value)


def test_keys_are_not_shown() -> None:
    assert repr(OpaqueTokens(KEYS)) == "OpaqueTokens(2 keys)"


@pytest.mark.parametrize("nonce", [b"", bytes(NONCE_BYTES - 1), bytes(NONCE_BYTES + 1)])
def test_a_nonce_has_its_length(nonce: bytes) -> None:
    with pytest.raises(ValueError, match="nonce"):
        TOKENS.mint("orders", "shop", "access_token", now=NOW, nonce=nonce)


def test_names_have_a_limit() -> None:
    with pytest.raises(ValueError, match="at most 64"):
        TOKENS.mint("o" * 65, "shop", "access_token", now=NOW, nonce=NONCE)


def test_keys_are_told_apart_by_what_each_token_shows_and_nothing_more() -> None:
    both = OpaqueTokens(KEYS)

    assert both.key_ids == (*TOKENS.key_ids, *OpaqueTokens(KEYS[1:]).key_ids)
    assert {len(key_id) for key_id in both.key_ids} == {8}
    assert mint().removeprefix(PREFIX).startswith(_text_of(bytes.fromhex(both.key_ids[0]))[:5])
