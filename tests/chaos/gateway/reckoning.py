"""PURE: what WeChat sent and got an answer to, laid beside what the handler's record says.

A message is known by its own fields on both sides, never by the id that the gateway gave it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.gateway.receipts import Key, Receipt


@dataclass(frozen=True)
class Sent:
    """One push. `answered`: WeChat was content with the answer to one of its tries."""

    push: str
    key: Key
    answered: bool
    tries: int


def key_of(identity: Mapping[str, Any]) -> Key:
    """What the emulator shows of a message."""
    return (
        identity["to_user"],
        identity["from_user"],
        identity["create_time"],
        identity["msg_id"],
    )


def sent_of(row: Mapping[str, Any]) -> Sent:
    """A row of the emulator's reconciliation of messages. Raises for one still under way."""
    assert row["ok"] is not None, "a push is still under way"
    return Sent(row["id"], key_of(row["identity"]), row["ok"], row["tries"])


@dataclass(frozen=True)
class Reckoning:
    """All is well when `lost`, `unknown` and `split` are empty."""

    sent: int
    answered: int
    delivered: int
    """Of those answered."""
    unanswered_delivered: int
    """Stored, but WeChat didn't hear of it."""
    twice: Mapping[Key, Sequence[float]] = field(repr=False)
    """Delivered more than once, and when."""
    lost: frozenset[Key]
    """Answered positively and never delivered."""
    unknown: frozenset[Key]
    """Delivered and never sent."""
    split: frozenset[Key]
    """Delivered under several ids, or under the id of another message."""

    def __str__(self) -> str:
        return (
            f"sent {self.sent}, answered {self.answered}, delivered {self.delivered} "
            f"(and {self.unanswered_delivered} whose answer was lost), "
            f"delivered twice {len(self.twice)}, lost {len(self.lost)}"
        )


def reckon(sent: Sequence[Sent], done: Sequence[Receipt]) -> Reckoning:
    """`done`: the receipts of deliveries that were answered, in order of time."""
    keys = {each.key for each in sent}
    assert len(keys) == len(sent), "WeChat sent two messages that nobody can tell apart"
    answered = {each.key for each in sent if each.answered}
    times: dict[Key, list[float]] = defaultdict(list)
    for receipt in done:
        times[receipt.key].append(receipt.at)
    return Reckoning(
        sent=len(sent),
        answered=len(answered),
        delivered=len(answered & times.keys()),
        unanswered_delivered=len((keys - answered) & times.keys()),
        twice={key: at for key, at in times.items() if len(at) > 1},
        lost=frozenset(answered - times.keys()),
        unknown=frozenset(times.keys() - keys),
        split=_split(done),
    )


def _split(done: Sequence[Receipt]) -> frozenset[Key]:
    pairs = {(each.key, each.id) for each in done}
    ids_of = Counter(key for key, _ in pairs)
    keys_of = Counter(each_id for _, each_id in pairs)
    return frozenset(key for key, each_id in pairs if ids_of[key] > 1 or keys_of[each_id] > 1)
