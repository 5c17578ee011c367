"""What is fired at the gateway, and what may come back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tests.simulation.chance import Random

CANARY_BYTES = 12


class Expect(StrEnum):
    REFUSED = "refused"
    """4xx, and nothing is stored."""
    MALFORMED = "malformed"
    """Genuine and unreadable: `success`, and one dead letter."""
    KNOWN = "known"
    """A genuine request that came before, perhaps damaged: 200 or 4xx, and nothing is stored."""


@dataclass(frozen=True)
class Shot:
    """`canary` stands somewhere in `raw`, and may stand nowhere in an answer.

    `alone`: the connection can't be used again. `may_be_silent`: no answer is an answer too, for
    the request isn't complete, or the server can't know that it is.
    """

    kind: str
    raw: bytes = field(repr=False)
    canary: bytes
    expect: Expect = Expect.REFUSED
    alone: bool = False
    may_be_silent: bool = False
    bodyless: bool = False


def canary_of(random: Random) -> bytes:
    """A text that is in no other shot."""
    return b"Zq" + random.randbytes(CANARY_BYTES).hex().encode()


def alone(kind: str, raw: bytes, canary: bytes) -> Shot:
    """One that nobody need be able to make sense of."""
    return Shot(kind, raw, canary, alone=True, may_be_silent=True)
