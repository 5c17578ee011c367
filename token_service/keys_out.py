"""`--keys-out`: the keys of opaque tokens in files of their own, for the service on another store.

The command reads them where the service reads them and writes them itself, so that no key ever
passes the internal listener, whose answers the holder of the admin key may log or forward. It has
to run as somebody who may read them, which on the service's machine the service's user is.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import ConfigDict

from token_service.opaque import OpaqueKeyRefused, OpaqueTokens
from token_service.opaque_keys import present_keys
from token_service.settings import ENV_PREFIX, TokenServiceSettings
from zhongkong.runtime.settings import Secret, Settings, StoreUrl, load
from zhongkong.runtime.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class NoKeysOut(Exception):
    """The keys can't be read or written. Says why, never a key."""


class _Keys(Settings):
    """All that is needed here: whoever copies needn't be able to read the accounts' secrets."""

    model_config = ConfigDict(extra="ignore")

    store: StoreUrl = TokenServiceSettings.model_fields["store"].default
    opaque_token_keys: tuple[Secret, ...] = ()


def keys_to_hand_on(config: Path, environ: Mapping[str, str]) -> list[str]:
    """The keys of the service of this configuration. Blocking. Raises ConfigError, NoKeysOut."""
    loaded = load(_Keys, config, environ, prefix=ENV_PREFIX)
    try:
        keys = present_keys(loaded.settings, loaded.base)
        OpaqueTokens(keys)
    except (OSError, UnicodeError) as trouble:
        why = getattr(trouble, "strerror", None) or "it is no text"
        raise NoKeysOut(
            f"the keys of opaque tokens beside the store can't be read: {why}; run this on the "
            "service's machine, as the user that the service has"
        ) from None
    except OpaqueKeyRefused as trouble:
        raise NoKeysOut(
            f"{trouble}; this command has to run where the service keeps its store"
        ) from None
    return keys


@contextmanager
def written(keys: list[str], out: Path) -> Iterator[list[Path]]:
    """Write each key to a file of its own, for its owner alone; gone again when the body fails.

    The first goes to `out`, the others beside it, numbered. No file is overwritten. Raises
    NoKeysOut.
    """
    paths: list[Path] = []
    try:
        for number, key in enumerate(keys, 1):
            path = out if number == 1 else out.with_name(f"{out.name}.{number}")
            _write(path, key)
            paths.append(path)
        yield paths
    except BaseException:
        for path in paths:
            path.unlink(missing_ok=True)
        raise


def _write(path: Path, key: str) -> None:
    try:
        write_whole(path, f"{key}\n".encode(), overwrite=False)
    except FileExistsError:
        raise NoKeysOut(
            f"{path} exists already and is not overwritten: name another file"
        ) from None
    except OSError as trouble:
        raise NoKeysOut(f"{path} can't be written: {trouble.strerror}") from None
