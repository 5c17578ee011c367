"""Defects put in on purpose: a simulation that doesn't see them proves nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from token_service import transitions
from token_service.keeper import Keeper
from token_service.slot import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import pytest

    from token_service.slot import TokenRecord


def no_fence(patch: pytest.MonkeyPatch) -> None:
    """The store takes every write, whoever was granted the lease since."""
    patch.setattr(transitions, "_is_newest_grant", lambda _state, _lease: True)


def single_intent_slot(patch: pytest.MonkeyPatch) -> None:
    """A new intent overwrites the one before, as one field in the store would."""
    begin = transitions.begin

    def forgetful(state: Any, *arguments: Any, **options: Any) -> Any:
        after, intent = begin(state, *arguments, **options)
        return replace(after, intents=(intent,)), intent

    patch.setattr(transitions, "begin", forgetful)


def probe_skipped(patch: pytest.MonkeyPatch) -> None:
    """Whoever says that a token is dead is believed."""

    async def believe(self: Keeper, record: TokenRecord, window_s: float) -> Verdict:
        await self.condemn(record.version)
        return Verdict.DEAD

    patch.setattr(Keeper, "probe", believe)


MUTANTS: tuple[Callable[[pytest.MonkeyPatch], None], ...] = (
    no_fence,
    single_intent_slot,
    probe_skipped,
)
