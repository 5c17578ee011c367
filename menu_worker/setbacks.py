"""PURE: a menu that WeChat refused is not sent again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from menu_worker.store.base import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from menu_worker.store.base import Revision

FIRST_PAUSE_S: Final = 300.0
LONGEST_PAUSE_S: Final = 6 * 3600.0


def wait_after(history: Sequence[Revision], fingerprint: str, now: float) -> str | None:
    """Why a menu isn't written yet: its last writes failed for good; None when it may be.

    `history` newest first. Each failure in a row doubles the pause; a person's request, or another
    menu, isn't held up. A write that was interrupted is no failure for good: it is resumed.
    """
    failures = 0
    for revision in history:
        if revision.fingerprint != fingerprint or revision.outcome is not Outcome.ROLLED_BACK:
            break
        failures += 1
    if not failures:
        return None
    pause_s = min(FIRST_PAUSE_S * 2.0 ** (failures - 1), LONGEST_PAUSE_S)
    left_s = history[0].at + pause_s - now
    if left_s <= 0:
        return None
    return (
        f"WeChat refused this menu {failures} time{'s' if failures > 1 else ''}: "
        f"{history[0].detail}. The next try is in {left_s:.0f} s; change the menu, or apply it "
        "by hand"
    )
