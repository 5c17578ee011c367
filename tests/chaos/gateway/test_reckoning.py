"""The judge of this folder's tests finds what is lost, doubled and mistaken."""

from __future__ import annotations

import pytest

from tests.chaos.gateway.handler import DONE
from tests.chaos.gateway.receipts import Key, Receipt
from tests.chaos.gateway.reckoning import Reckoning, Sent, reckon


def key(number: int) -> Key:
    return ("gh_shop", "oUser", 1_790_000_000, str(number))


def sent(number: int, *, answered: bool = True) -> Sent:
    return Sent(f"p{number}", key(number), answered, tries=1)


def done(number: int, *, at: float = 1.0, under: str = "") -> Receipt:
    return Receipt(at, DONE, under or f"msg_{number}", key(number), spooled=False, held=False)


def flaws(reckoning: Reckoning) -> tuple[frozenset[Key], frozenset[Key], frozenset[Key]]:
    return reckoning.lost, reckoning.unknown, reckoning.split


NONE: frozenset[Key] = frozenset()


def test_all_is_well_when_everything_answered_was_delivered_once() -> None:
    reckoning = reckon([sent(1), sent(2)], [done(2), done(1)])

    assert flaws(reckoning) == (NONE, NONE, NONE)
    assert reckoning.twice == {}
    assert (reckoning.sent, reckoning.answered, reckoning.delivered) == (2, 2, 2)


def test_what_was_answered_and_never_delivered_is_lost() -> None:
    assert reckon([sent(1), sent(2)], [done(1)]).lost == {key(2)}


def test_what_was_never_answered_may_be_delivered_or_not() -> None:
    reckoning = reckon([sent(1, answered=False), sent(2, answered=False)], [done(1)])

    assert flaws(reckoning) == (NONE, NONE, NONE)
    assert reckoning.unanswered_delivered == 1


def test_what_was_delivered_and_never_sent_is_unknown() -> None:
    assert reckon([sent(1)], [done(1), done(7)]).unknown == {key(7)}


def test_a_delivery_made_twice_is_told_with_its_times() -> None:
    reckoning = reckon([sent(1)], [done(1, at=1.0), done(1, at=5.0)])

    assert reckoning.twice == {key(1): [1.0, 5.0]}
    assert flaws(reckoning) == (NONE, NONE, NONE)


def test_one_message_under_two_ids_is_split() -> None:
    reckoning = reckon([sent(1)], [done(1, under="msg_a"), done(1, under="msg_b")])

    assert reckoning.split == {key(1)}


def test_two_messages_under_one_id_are_split() -> None:
    reckoning = reckon([sent(1), sent(2)], [done(1, under="msg_a"), done(2, under="msg_a")])

    assert reckoning.split == {key(1), key(2)}


def test_messages_that_nobody_can_tell_apart_prove_nothing() -> None:
    with pytest.raises(AssertionError, match="tell apart"):
        reckon([sent(1), sent(1)], [done(1)])
