"""Documents: what is written is read back, and what can't be read is said, not guessed."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from cryptography.fernet import Fernet
from hypothesis import given, strategies as st

from tests.token_service import strategies
from token_service.slot import Call, Cause, Fence, Kind, Lease, Mode, Slot, SlotState, TokenRecord
from token_service.stores.codec import (
    KeyRefused,
    SealedRecord,
    Sealer,
    UnreadableRecord,
    decode,
    encode,
    slot_of,
    without_lease,
)
from zhongkong.runtime.storage import StoreUnavailable

SLOT = Slot("wx0000000000000001", Kind.ACCESS_TOKEN, Mode.CLASSIC)
OLD_KEY = "the key of last year, thirty-two bytes or more"
NEW_KEY = "the key of this year, thirty-two bytes or more"
VALUE = "a token value that nobody else may read"
PLAIN = Sealer()
SEALER = Sealer([NEW_KEY])

FENCE = Fence("0011223344556677", 3)
RECORD = TokenRecord(VALUE, "ab" * 12, 1.0, 7201.0, 1.0, FENCE, Call.CLASSIC, Cause.PLANNED)
STATE = SlotState(FENCE.generation, 0.5, 3, record=RECORD, lease=Lease("a", FENCE, 16.0))


@given(strategies.states, st.sampled_from([PLAIN, SEALER]))
def test_what_is_written_is_read_back(state: SlotState, sealer: Sealer) -> None:
    assert decode(encode(state, sealer), sealer, SLOT) == state


@given(strategies.states)
def test_dropping_the_lease_changes_nothing_else(state: SlotState) -> None:
    document = without_lease(encode(state, SEALER), SLOT)
    assert decode(document, SEALER, SLOT) == replace(state, lease=None)


@given(st.binary(max_size=200) | st.dictionaries(st.text(), st.booleans()).map(orjson.dumps))
def test_no_damaged_document_is_taken_for_a_slot(document: bytes) -> None:
    with pytest.raises(UnreadableRecord):
        decode(document, PLAIN, SLOT)


@pytest.mark.parametrize("cut", range(0, 400, 37))
def test_no_torn_document_is_taken_for_a_slot(cut: int) -> None:
    with pytest.raises(UnreadableRecord):
        decode(encode(STATE, PLAIN)[:cut], PLAIN, SLOT)


def test_a_sealed_document_does_not_hold_the_token() -> None:
    assert VALUE.encode() not in encode(STATE, SEALER)


def test_all_but_the_token_is_readable_without_the_key() -> None:
    document = orjson.loads(encode(STATE, SEALER))
    assert document["state"]["lease"]["fence"] == {"generation": "0011223344556677", "counter": 3}


def test_any_of_the_keys_opens() -> None:
    document = encode(STATE, Sealer([OLD_KEY]))
    assert decode(document, Sealer([NEW_KEY, OLD_KEY]), SLOT) == STATE


def test_the_first_key_seals() -> None:
    document = encode(STATE, Sealer([NEW_KEY, OLD_KEY]))
    assert decode(document, Sealer([NEW_KEY]), SLOT) == STATE


def test_a_plain_document_is_read_once_there_are_keys() -> None:
    assert decode(encode(STATE, PLAIN), SEALER, SLOT) == STATE


@pytest.mark.parametrize("sealer", [PLAIN, SEALER], ids=["no key", "another key"])
def test_without_its_key_a_document_says_what_to_do(sealer: Sealer) -> None:
    with pytest.raises(SealedRecord, match="key that it was written with") as raised:
        decode(encode(STATE, Sealer([OLD_KEY])), sealer, SLOT)
    assert str(SLOT) in str(raised.value)
    assert OLD_KEY not in str(raised.value)


def test_a_sealed_slot_without_a_token_needs_no_key() -> None:
    bare = replace(STATE, record=None)
    assert decode(encode(bare, Sealer([OLD_KEY])), PLAIN, SLOT) == bare


def test_to_its_caller_an_unreadable_slot_is_a_store_that_is_away() -> None:
    assert issubclass(SealedRecord, UnreadableRecord)
    assert issubclass(UnreadableRecord, StoreUnavailable)


def test_damage_is_reported_without_the_token() -> None:
    document = encode(STATE, PLAIN).replace(b'"counter":3', b'"counter":"x"')
    with pytest.raises(UnreadableRecord) as raised:
        decode(document, PLAIN, SLOT)
    chain = (raised.value, raised.value.__cause__)
    assert not any(VALUE in repr(error) for error in chain)
    assert raised.value.__suppress_context__


def test_a_document_of_a_later_version_names_both_formats() -> None:
    document = encode(STATE, PLAIN).replace(b'"format":1', b'"format":2')
    with pytest.raises(UnreadableRecord, match="format 2, this version reads up to 1"):
        decode(document, PLAIN, SLOT)


def test_fields_that_a_later_version_adds_are_ignored() -> None:
    document = encode(STATE, PLAIN).replace(b'"state":{', b'"state":{"mood":"fine",')
    assert decode(document, PLAIN, SLOT) == STATE


def test_a_fernet_key_is_used_as_it_is() -> None:
    key = Fernet.generate_key()
    sealed = Sealer([key.decode()]).seal(VALUE)
    assert Fernet(key).decrypt(sealed) == VALUE.encode()


def test_a_short_key_is_refused_by_its_place() -> None:
    with pytest.raises(KeyRefused, match="key 2 of encryption_keys has 9 bytes") as raised:
        Sealer([NEW_KEY, "too short"])
    assert "too short" not in str(raised.value)


def test_keys_do_not_show() -> None:
    sealer = Sealer([NEW_KEY, OLD_KEY])
    assert repr(sealer) == "Sealer(2 keys)"
    assert sealer.active
    assert not PLAIN.active


@given(strategies.slots)
def test_a_slots_name_leads_back_to_it(slot: Slot) -> None:
    assert slot_of(*str(slot).split("/")) == slot


@pytest.mark.parametrize("parts", [("wx1", "later_kind", "stable"), ("wx1", "access_token", "x")])
def test_a_slot_that_only_a_later_version_knows_is_no_slot(parts: tuple[str, str, str]) -> None:
    assert slot_of(*parts) is None
