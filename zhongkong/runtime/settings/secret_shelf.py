"""The secrets that one configuration names, each source once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from zhongkong.runtime.settings.secrets import Secret


class SecretShelf:
    """Makes the secrets of one configuration; known ones are taken over as they are.

    Taking over keeps holders of an older configuration's `Secret` up to date after a reload.
    Given to pydantic as the validation's context, so validators find `base` here.
    """

    def __init__(self, base: Path, environ: Mapping[str, str], known: Iterable[Secret]) -> None:
        self.base = base
        """The absolute folder that relative paths count from."""
        self._environ = environ
        self._known = {secret.source: secret for secret in known}
        self._taken: dict[tuple[str, str], Secret] = {}

    @property
    def taken(self) -> tuple[Secret, ...]:
        """The secrets that the configuration names, in order of their first mention."""
        return tuple(self._taken.values())

    def take(self, kind: str, name: str) -> Secret:
        """The secret of this `file` or `env`. Raises SecretUnreadable."""
        if kind == "file":
            name = str(self.base / name)
        secret = self._taken.get((kind, name))
        if secret is None:
            secret = self._known.get((kind, name)) or self._make(kind, name)
            self._taken[kind, name] = secret
        return secret

    def _make(self, kind: str, name: str) -> Secret:
        if kind == "file":
            return Secret.from_file(Path(name))
        return Secret.from_env(name, self._environ)
