"""`token-service store …`: what the commands ask the running service, and what they print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from token_service.freeze import Way
from token_service.internal import COPIES_PATH, FREEZE_PATH
from token_service.keys_out import written
from token_service.opaque import OpaqueTokens

if TYPE_CHECKING:
    from pathlib import Path

    from zhongkong.runtime.asking import Asker

WITHIN_S: Final = 900.0
"""Both take about a second for a thousand accounts; a copy may wait for a call to WeChat."""

_OWN_KEYS: Final = "those of this service; --keys-out FILE writes them"


def copy(service: Asker, to: str, keys_out: tuple[list[str], Path] | None) -> list[str]:
    """Have the running service copy its store. Returns the lines to print. Blocking.

    `keys_out`: which keys to write where. Raises ConfigError, NotReached, NoKeysOut.
    """
    body: dict[str, object] = {"to": to}
    if keys_out is None:
        return _copied(service.ask("POST", COPIES_PATH, body, timeout_s=WITHIN_S), [])
    keys, out = keys_out
    body["opaque_key_ids"] = OpaqueTokens(keys).key_ids
    with written(keys, out) as paths:
        answer = service.ask("POST", COPIES_PATH, body, timeout_s=WITHIN_S)
    return _copied(answer, [path.absolute() for path in paths])


def thaw(service: Asker) -> list[str]:
    """Have the running service lift the freeze of its store. As `copy`."""
    answer = service.ask("DELETE", FREEZE_PATH, timeout_s=WITHIN_S)
    if not answer["thawed"]:
        return ["The store was not frozen."]
    other, way = answer["other"], Way(answer["way"]).words
    if not answer["doubted"]:
        return [f"The store is thawed, and this service goes on. The copy to {other} is void."]
    return [
        f"The store is thawed, and this service fetches tokens again. It was {way}",
        f"{other}: see to it that no service runs there with the same accounts,",
        "or they end each other's tokens.",
    ]


def _copied(answer: dict[str, Any], keys: list[Path]) -> list[str]:
    done = "was copied before" if answer["again"] else "is copied"
    opaque = ", ".join(f"{{file: {path}}}" for path in keys)
    sealed = "those of this service" if answer["encrypted"] else "none: tokens stand readable there"
    counts = [f"{answer[name]} {name}" for name in ("slots", "tokens", "revocations")]
    first_end = answer["first_end"]
    by = "" if first_end is None else f" before {first_end}, when the first token ends"
    return [
        f"{answer['from']} {done}: {answer['to']}",
        f"{', '.join(counts)}, {answer['calls']} calls whose outcome isn't known",
        "This service hands out what lives, and fetches nothing any more. The new one needs",
        f"  store: {answer['to']}    # with the name and password that you gave",
        f"  opaque_token_keys: [{opaque}]" if keys else f"  opaque_token_keys: {_OWN_KEYS}",
        f"  encryption_keys: {sealed}",
        f"Start it{by}, lead the readers there, then stop this one.",
        "To go back: stop the new one, then `token-service store thaw`.",
    ]
