"""Keys are seen wherever in a request they stand."""

from __future__ import annotations

import base64

import pytest

from tests.emulator.platforms import NOW, SECRET, classic, get, platform, post
from zhongkong.emulator import sightings as sightings_module
from zhongkong.emulator.model import WeChatModel

KEY = "aB3" * 10


def places(model: WeChatModel) -> set[str]:
    return {each.where for each in model.ledger.sightings.seen.values()}


@pytest.mark.parametrize(
    "target",
    [
        f"/cgi-bin/{KEY}/token",
        f"/x?anything={KEY}",
        f"/x?{KEY}",
        f"/x?a=%61B3{KEY[3:]}",
        f"/x/%61B3{KEY[3:]}",
        f"/x?a=1&a={KEY}",
    ],
)
def test_a_key_in_the_target_is_seen_as_sent_or_decoded(target: str) -> None:
    model = platform()
    get(model, target)
    assert model.ledger.sightings.saw(KEY)


def test_a_key_in_a_header_or_a_body_is_seen_whatever_the_body_is() -> None:
    for body in (b'{"a":{"b":["%s"]}}', b"a=%s&b=1", b"\xff\x00%s\xff"):
        model = platform()
        post(model, "/nowhere", body.replace(b"%s", KEY.encode()))
        assert model.ledger.sightings.saw(KEY)
    model = platform()
    get(model, "/nowhere", headers=(("Authorization", f"Bearer {KEY}"),))
    assert model.ledger.sightings.saw(KEY)


def test_secrets_are_listed_by_their_fields_however_short() -> None:
    model = platform()
    get(model, "/cgi-bin/token?secret=short")
    assert "short" in model.ledger.secrets_seen
    assert "secret" in places(model)


def test_what_was_not_sent_was_not_seen() -> None:
    model = platform()
    classic(model)
    assert model.ledger.sightings.saw(SECRET)
    assert not model.ledger.sightings.saw(KEY)


def test_a_watched_text_is_counted_exactly_even_when_sightings_fall_out() -> None:
    model = platform()
    model.ledger.sightings.watch(KEY)
    get(model, f"/x?y={KEY}")
    for each in range(sightings_module._SIGHTINGS_HELD + 5):
        model.ledger.sightings.note(f"{each:032d}", "query", "/", NOW)
    assert KEY not in model.ledger.sightings.seen
    assert model.ledger.sightings.forgotten > 0
    assert model.ledger.sightings.watched[KEY] == 1
    assert model.ledger.sightings.saw(KEY)


def test_a_watch_finds_texts_of_any_shape() -> None:
    model = platform()
    model.ledger.sightings.watch("买 入")
    post(model, "/x", "…买 入…".encode())
    assert model.ledger.sightings.watched == {"买 入": 1}


def test_an_empty_watch_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        platform().ledger.sightings.watch("")


def test_a_repeated_sighting_is_one_with_a_count() -> None:
    model = platform()
    encoded = base64.b64encode(KEY.encode()).decode()
    for _ in range(3):
        get(model, f"/x?y={encoded}")
    assert sum(encoded in each for each in model.ledger.secrets_seen) >= 1
    assert max(model.ledger.secrets_seen.values()) >= 3
