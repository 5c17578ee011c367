"""`token-service store …`: what the commands ask the running service, and what they print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from token_service.internal import COPIES_PATH, FREEZE_PATH
from token_service.keys_out import keys_to_hand_on, written
from token_service.opaque import OpaqueTokens

if TYPE_CHECKING:
    from pathlib import Path

    from token_service.settings import TokenServiceSettings
    from zhongkong.runtime.asking import Asker
    from zhongkong.runtime.settings import Loaded

COPY_WITHIN_S: Final = 900.0
"""A copy takes about a second for a thousand accounts, and may wait for a call to WeChat."""

_OWN_KEYS: Final = "those of this service; --keys-out FILE writes them"


def copy(
    service: Asker, to: str, keys_out: tuple[Loaded[TokenServiceSettings], Path] | None
) -> list[str]:
    """Have the running service copy its store. Returns the lines to print. Blocking.

    `keys_out`: whose keys to write where. Raises ConfigError, NotReached, NoKeysOut.
    """
    body: dict[str, object] = {"to": to}
    if keys_out is None:
        return _copied(service.ask("POST", COPIES_PATH, body, timeout_s=COPY_WITHIN_S), [])
    loaded, out = keys_out
    keys = keys_to_hand_on(loaded)
    body["opaque_key_ids"] = OpaqueTokens(keys).key_ids
    with written(keys, out) as paths:
        answer = service.ask("POST", COPIES_PATH, body, timeout_s=COPY_WITHIN_S)
    return _copied(answer, [path.absolute() for path in paths])


def thaw(service: Asker) -> list[str]:
    """Have the running service lift the freeze of its store. As `copy`."""
    answer = service.ask("DELETE", FREEZE_PATH)
    freeze = answer["freeze"]
    if freeze is None:
        return ["The store was not frozen."]
    return [
        f"The store is thawed, and this service fetches tokens again. It was {freeze['way']}",
        f"{freeze['other']}: see to it that no service runs there with the same accounts, or they",
        "end each other's tokens.",
    ]


def _copied(answer: dict[str, Any], keys: list[Path]) -> list[str]:
    done = "was copied before, nothing was written" if answer["again"] else "is copied"
    opaque = ", ".join(f"{{file: {path}}}" for path in keys)
    sealed = "those of this service" if answer["encrypted"] else "none: tokens stand readable there"
    counts = [f"{answer[name]} {name}" for name in ("slots", "tokens", "revocations")]
    return [
        f"{answer['from']} {done}: {answer['to']}",
        f"{', '.join(counts)}, {answer['calls']} calls whose outcome isn't known",
        "This service hands out what lives, and fetches nothing any more. The new one needs",
        f"  store: {answer['to']}    # with the name and password that you gave",
        f"  opaque_token_keys: [{opaque}]" if keys else f"  opaque_token_keys: {_OWN_KEYS}",
        f"  encryption_keys: {sealed}",
        "Start it, lead the readers there, then stop this one. Before it runs, you can go back:",
        "  token-service store thaw",
    ]
