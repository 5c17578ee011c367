"""Where the keys of opaque tokens come from: the settings, or a file beside the store.

The file is made at the first start of a service that has a store of its own; replicas on one Redis
are given keys, or none could read another's tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from token_service.opaque import KEY_BYTES_MIN, OpaqueKeyRefused, OpaqueTokens
from zhongkong.runtime.startup import CannotStart
from zhongkong.runtime.storage import SqliteTarget, parse_store_url
from zhongkong.runtime.whole_file import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from token_service.settings import TokenServiceSettings
    from zhongkong.runtime.clock import Randomness
    from zhongkong.runtime.settings import Loaded, Secret

_SUFFIX: Final = ".opaque-keys"
_BYTES_AT_MOST: Final = 64 * 1024


class KeySettings(Protocol):
    """The settings that say where the keys are."""

    @property
    def store(self) -> str: ...
    @property
    def opaque_token_keys(self) -> tuple[Secret, ...]: ...


def opaque_tokens(loaded: Loaded[TokenServiceSettings], randomness: Randomness) -> OpaqueTokens:
    """The keys in force. Blocking; may make the file. Raises CannotStart."""
    configured = _configured(loaded.settings)
    if configured:
        return OpaqueTokens(configured)
    path = _beside(loaded.settings, loaded.base)
    if path is None:
        return OpaqueTokens([randomness.token(KEY_BYTES_MIN)])
    try:
        return OpaqueTokens(_lines(path) or _made(path, randomness))
    except (OSError, UnicodeError) as trouble:
        reason = getattr(trouble, "strerror", None) or "it is no text"
        raise CannotStart(
            f"{path}: the keys of opaque tokens can't be read or made: {reason}"
        ) from None
    except OpaqueKeyRefused as trouble:
        raise CannotStart(f"{path}: {trouble}") from None


def present_keys(settings: KeySettings, base: Path) -> list[str]:
    """The same keys as texts, for another service to take over. Makes none; empty without any.

    Blocking. Raises OSError and UnicodeError for a file that can't be read.
    """
    path = _beside(settings, base)
    return _configured(settings) or ([] if path is None else _lines(path))


def _configured(settings: KeySettings) -> list[str]:
    return [key.reveal() for key in settings.opaque_token_keys]


def _beside(settings: KeySettings, base: Path) -> Path | None:
    target = parse_store_url(settings.store, base)
    return key_file(target.path) if isinstance(target, SqliteTarget) else None


def key_file(store: Path) -> Path:
    """The file beside a store: one key a line, the first one seals."""
    return store.with_name(store.name + _SUFFIX)


def _lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_BYTES_AT_MOST)
    except FileNotFoundError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]


def _made(path: Path, randomness: Randomness) -> list[str]:
    """Write a first key, for the service alone: no start ever meets half of it."""
    key = randomness.token(KEY_BYTES_MIN)
    write_whole(path, f"{key}\n".encode())
    return [key]
