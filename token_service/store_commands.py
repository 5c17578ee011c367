"""`token-service store …`: what the commands ask the running service, and what they print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from token_service.freeze import Way  # noqa: TC001 - pydantic reads annotations when it runs
from token_service.internal import COPIES_PATH, FREEZE_PATH
from token_service.keys_out import written
from token_service.opaque import OpaqueTokens
from zhongkong.runtime.asking import Form

if TYPE_CHECKING:
    from pathlib import Path

    from zhongkong.runtime.asking import Asker

WITHIN_S: Final = 900.0
"""Both take about a second for a thousand accounts; a copy may wait for a call to WeChat."""

_OWN_KEYS: Final = "those of this service; --keys-out FILE writes them"


class _Copied(Form):
    """What became of the copy. `first_end`: when the first token ends."""

    source: str = Field(alias="from")
    to: str
    again: bool
    slots: int
    tokens: int
    revocations: int
    calls: int
    encrypted: bool
    first_end: str | None


class _Answered(Form):
    """Whether there was a freeze to lift."""

    thawed: bool


class _Thawed(Form):
    """Which one it was. `doubted`: the other store's service may have fetched tokens."""

    doubted: bool
    way: Annotated[Way, Field(strict=False)]
    other: str


def copy(service: Asker, to: str, keys_out: tuple[list[str], Path] | None) -> list[str]:
    """Have the running service copy its store. Returns the lines to print. Blocking.

    `keys_out`: which keys to write where. Raises ConfigError, NotReached, NoKeysOut.
    """
    body: dict[str, object] = {"to": to}
    if keys_out is None:
        return _told(_copied(service, body), [])
    keys, out = keys_out
    body["opaque_key_ids"] = OpaqueTokens(keys).key_ids
    with written(keys, out) as paths:
        copied = _copied(service, body)
    return _told(copied, [path.absolute() for path in paths])


def thaw(service: Asker) -> list[str]:
    """Have the running service lift the freeze of its store. As `copy`."""
    answer = service.ask("DELETE", FREEZE_PATH, timeout_s=WITHIN_S)
    if not answer.read(_Answered).thawed:
        return ["The store was not frozen."]
    lifted = answer.read(_Thawed)
    if not lifted.doubted:
        return [
            f"The store is thawed, and this service goes on. The copy to {lifted.other} is void."
        ]
    return [
        f"The store is thawed, and this service fetches tokens again. It was {lifted.way.words}",
        f"{lifted.other}: see to it that no service runs there with the same accounts,",
        "or they end each other's tokens.",
    ]


def _copied(service: Asker, body: dict[str, object]) -> _Copied:
    return service.ask("POST", COPIES_PATH, body, timeout_s=WITHIN_S).read(_Copied)


def _told(copied: _Copied, keys: list[Path]) -> list[str]:
    done = "was copied before" if copied.again else "is copied"
    opaque = ", ".join(f"{{file: {path}}}" for path in keys)
    sealed = "those of this service" if copied.encrypted else "none: tokens stand readable there"
    first_end = copied.first_end
    counts = f"{copied.slots} slots, {copied.tokens} tokens, {copied.revocations} revocations"
    by = "" if first_end is None else f" before {first_end}, when the first token ends"
    return [
        f"{copied.source} {done}: {copied.to}",
        f"{counts}, {copied.calls} calls whose outcome isn't known",
        "This service hands out what lives, and fetches nothing any more. The new one needs",
        f"  store: {copied.to}    # with the name and password that you gave",
        f"  opaque_token_keys: [{opaque}]" if keys else f"  opaque_token_keys: {_OWN_KEYS}",
        f"  encryption_keys: {sealed}",
        f"Start it{by}, lead the readers there, then stop this one.",
        "To go back: stop the new one, then `token-service store thaw`.",
    ]
