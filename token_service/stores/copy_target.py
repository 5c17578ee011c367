"""Which store may be filled by a copy: one on the same time, that keeps nothing of anybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from token_service.freeze import Way
from token_service.stores.copy_hold import CopyRefused

if TYPE_CHECKING:
    from collections.abc import Collection

    from token_service.slot import Slot
    from token_service.stores.copy_hold import End
    from zhongkong.runtime.clock import Clock

SKEW_AT_MOST_S: Final = 2.0
"""Lives are copied as they are, so the clocks of both stores must agree."""
REMOVE: Final = (
    "remove what it keeps (the keys zk:ts:* of a Redis; a file), or name another place, and repeat"
)

_NAMED: Final = 3


async def look_at_target(source: End, target: End, clock: Clock) -> None:
    """Refuse what can't go well. Raises CopyRefused, StoreUnavailable."""
    freeze, target_now = await target.store.freeze_read()
    asked_at = clock.monotonic()
    _, source_now = await source.store.freeze_read()
    skew_s = abs(target_now - source_now + (clock.monotonic() - asked_at) / 2)
    if skew_s > SKEW_AT_MOST_S:
        raise CopyRefused(
            f"the clocks of {source} and {target} are {skew_s:.0f} s apart, and the tokens' ends "
            f"are copied as they are: set them to within {SKEW_AT_MOST_S:g} s"
        )
    if freeze is not None and freeze.way is Way.OUT:
        raise CopyRefused(f"{target} was itself copied to {freeze.other}: {REMOVE}")
    there = await target.store.slots()
    if there and (freeze is None or there - await source.store.slots()):
        raise CopyRefused(
            f"{target} holds tokens already ({named(there)}): stop the service that runs there, "
            f"then {REMOVE}"
        )


def named(slots: Collection[Slot]) -> str:
    """The first few, for a message."""
    names = sorted(map(str, slots))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
