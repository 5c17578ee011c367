"""PURE: the freeze of a store. While one stands, nobody is granted the right to mint.

A copy freezes two stores: the one that it reads, so that no token changes behind it, and the one
that it fills, so that no service takes half of it for the whole. Times are those of the store that
is frozen. Where the freeze is kept is each store's own, the copy itself is in `stores.copying`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

HOLD_S: Final = 60.0
"""A copy at work says so anew within this time; after it, the copy is taken for dead."""

Changed = tuple["Freeze | None", bool]
"""The freeze that stands afterwards, and whether what was asked for could be done."""


class Way(StrEnum):
    """Which end of a copy a store is."""

    OUT = "copied_to"
    """It is read. Frozen while the copy is at work, and for good once the copy is whole."""
    IN = "filled_from"
    """It is filled. Frozen until it is whole, however long that takes."""

    @property
    def words(self) -> str:
        """As it stands in a sentence, before the other store's address."""
        return self.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Freeze:
    """Why a store is frozen. `other`: the other store's address, without credentials.

    `until`: so long the copy is certainly at work; None once it is whole.
    """

    copy: str
    way: Way
    other: str
    at: float
    until: float | None

    def __str__(self) -> str:
        return f"{self.way.words} {self.other}"

    @property
    def sealed(self) -> bool:
        """Whether the whole store was copied away: only a person lifts this freeze."""
        return self.until is None


def stands(freeze: Freeze | None, now: float) -> bool:
    """Whether nothing may be minted. What was to be copied thaws by itself when the copy dies."""
    return ends_at(freeze) > now


def ends_at(freeze: Freeze | None) -> float:
    """When the freeze ends by itself: infinite when it doesn't, 0 when there is none."""
    if freeze is None:
        return 0.0
    if freeze.way is Way.IN or freeze.until is None:
        return float("inf")
    return freeze.until


def is_at_work(freeze: Freeze, now: float) -> bool:
    """Whether the copy was heard of lately."""
    return freeze.until is not None and freeze.until > now


def is_half_filled(freeze: Freeze | None) -> bool:
    """Whether what the store holds may be half of another's, or old: nobody is to believe it."""
    return freeze is not None and freeze.way is Way.IN


def may_mint_elsewhere(freeze: Freeze) -> bool:
    """Whether another store's service may have minted since: not before all was copied there."""
    return freeze.sealed or freeze.way is Way.IN


def begin(current: Freeze | None, copy: str, way: Way, other: str, *, now: float) -> Changed:
    """Freeze for this copy; refused while another one holds the store. Repeated, it prolongs."""
    if current is not None and (current.copy, current.way) == (copy, way):
        return (current if current.sealed else replace(current, until=now + HOLD_S)), True
    if current is not None and _stands_against(current, way, now):
        return current, False
    return Freeze(copy, way, other, now, now + HOLD_S), True


def prolong(current: Freeze | None, copy: str, *, now: float) -> Changed:
    """The copy is still at work. Refused when the freeze ended meanwhile, or is another's."""
    if current is None or current.copy != copy or not stands(current, now):
        return current, False
    return (current if current.sealed else replace(current, until=now + HOLD_S)), True


def seal(current: Freeze | None, copy: str, *, now: float) -> Changed:
    """Everything was copied: freeze for good. Refused as `prolong` is: a mint may lie between."""
    if current is None or current.copy != copy or not stands(current, now):
        return current, False
    return replace(current, until=None), True


def let_go(current: Freeze | None, copy: str, *, now: float) -> Changed:
    """The copy broke off: another may take the half-filled store over at once."""
    if current is None or current.copy != copy:
        return current, True
    return replace(current, until=now), True


def thaw(current: Freeze | None, copy: str) -> Changed:
    """Lift this copy's freeze."""
    return (None if current is None or current.copy == copy else current), True


def is_news(before: Freeze | None, after: Freeze | None) -> bool:
    """Whether those who follow the store have to hear of the change."""
    if before is None or after is None:
        return before is not after
    return (before.copy, before.way, before.sealed) != (after.copy, after.way, after.sealed)


def _stands_against(current: Freeze, way: Way, now: float) -> bool:
    if current.way is Way.IN and way is Way.IN:
        return is_at_work(current, now)
    return stands(current, now)
