"""Looks at the configuration and its secrets again and again, and hands over what is new.

No task is made here: the caller owns `run`. What a service does with new settings is its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from zhongkong.runtime.clock import Clock
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.settings.errors import ConfigError, Problem
from zhongkong.runtime.settings.files import FileTrouble, Stamp, stamp_of
from zhongkong.runtime.settings.loading import Loaded, load_content, read_config
from zhongkong.runtime.settings.secrets import Secret, SecretUnreadable

RETRY_LOOKS = 10
"""A refused version is tried again after so many looks: a secret that it lacked may have come."""

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
Handler = Callable[[T], Awaitable[None] | None]

_log = get_logger()


@dataclass(slots=True)
class _Findings(Generic[M]):
    """What one look found."""

    changed: list[Secret] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    fresh: Loaded[M] | None = None
    refusal: ConfigError | None = None
    restored: bool = False


class ConfigWatcher(Generic[M]):
    """Keeps `loaded` up to date.

    `on_settings` gets each good new version; it may raise ConfigError to refuse it after all.
    `on_secret` gets the secrets whose values changed (the same objects that the settings hold).
    `on_refused` gets each bad version once, while the old one stays. Handlers run on the loop, one
    after the other, and may be plain or async; one that fails is logged, and the watch goes on.
    """

    def __init__(
        self,
        loaded: Loaded[M],
        clock: Clock,
        *,
        on_settings: Handler[Loaded[M]],
        on_secret: Handler[list[Secret]],
        on_refused: Handler[ConfigError],
        interval_s: float = 1.0,
    ) -> None:
        self.loaded = loaded
        self.last_refusal: ConfigError | None = None
        """Why the file as it stands is not in force; None when it is."""
        self._clock = clock
        self._on_settings = on_settings
        self._on_secret = on_secret
        self._on_refused = on_refused
        self._interval_s = interval_s
        self._stamp: Stamp | None = None
        self._unsettled = True
        self._refused: tuple[bytes | None, str] | None = None
        self._looks_until_retry = RETRY_LOOKS
        # A change within one tick of the file system's clock leaves the stamp as it was. So what
        # changed, or may have since it was loaded, is read once more at the next look.
        self._unsettled_secrets = set(loaded.secrets)

    @property
    def refused_because(self) -> tuple[str, ...]:
        """Why the file as it stands is not in force; empty when it is."""
        refusal = self.last_refusal
        return () if refusal is None else tuple(str(problem) for problem in refusal.problems)

    @property
    def unreadable_secrets(self) -> tuple[str, ...]:
        """Why secrets can't be refreshed, for the status page; their old values are in use."""
        return tuple(secret.trouble for secret in self.loaded.secrets if secret.trouble)

    async def run(self) -> None:
        """Look once in every interval, until cancelled."""
        while True:
            await self._clock.sleep(self._interval_s)
            await self.look()

    async def look(self) -> None:
        """Look once, and call the handlers for what is new."""
        findings = await asyncio.to_thread(self._survey)
        for trouble in findings.troubles:
            _log.warning("secret_unreadable", detail=trouble)
        if findings.changed:
            await self._call("on_secret", self._on_secret, findings.changed)
        if findings.restored:
            self.last_refusal = None
        if findings.fresh is not None:
            await self._hand_over(findings.fresh)
        if findings.refusal is not None:
            await self._refuse(findings.refusal)

    async def _hand_over(self, fresh: Loaded[M]) -> None:
        try:
            await self._call("on_settings", self._on_settings, fresh)
        except ConfigError as refusal:
            version = (fresh.digest, str(refusal))
            if self._refused != version:
                self._refused = version
                await self._refuse(refusal)
            return
        self.loaded = fresh
        self._unsettled_secrets |= set(fresh.secrets)
        self.last_refusal, self._refused = None, None

    async def _refuse(self, refusal: ConfigError) -> None:
        self.last_refusal = refusal
        try:
            await self._call("on_refused", self._on_refused, refusal)
        except ConfigError:
            _log.exception("settings_handler_failed", handler="on_refused")

    async def _call(self, name: str, handler: Handler[T], argument: T) -> None:
        try:
            outcome = handler(argument)
            if inspect.isawaitable(outcome):
                await outcome
        except ConfigError:
            raise
        except Exception:  # noqa: BLE001 - the next change gets its chance, and this one is logged
            _log.exception("settings_handler_failed", handler=name)

    def _survey(self) -> _Findings[M]:
        findings: _Findings[M] = _Findings()
        self._survey_secrets(findings)
        self._survey_file(findings)
        return findings

    def _survey_secrets(self, findings: _Findings[M]) -> None:
        due, self._unsettled_secrets = self._unsettled_secrets, set()
        for secret in self.loaded.secrets:
            moved = secret.looks_changed()
            if moved:
                self._unsettled_secrets.add(secret)
            if not moved and secret not in due and secret.trouble is None:
                continue
            try:
                if secret.refresh():
                    findings.changed.append(secret)
            except SecretUnreadable as trouble:
                findings.troubles.append(str(trouble))

    def _survey_file(self, findings: _Findings[M]) -> None:
        self._looks_until_retry -= 1
        retry = self.last_refusal is not None and self._looks_until_retry <= 0
        if retry:
            self._looks_until_retry = RETRY_LOOKS
        stamp = _stamp_or_none(self.loaded.path)
        moved, self._stamp = stamp != self._stamp, stamp
        due, self._unsettled = moved or self._unsettled or retry, moved
        if due:
            self._read(findings, retry=retry)

    def _read(self, findings: _Findings[M], *, retry: bool) -> None:
        """Load the file when it isn't the version in force, nor one that was refused already."""
        now, digest = self.loaded, None
        try:
            content = read_config(now.path)
            digest = hashlib.sha256(content.data).digest()
            if digest == now.digest:
                findings.restored, self._refused = True, None
                return
            if self._refused is not None and digest == self._refused[0] and not retry:
                return
            if not content.data.strip():
                raise ConfigError([_emptied(now.path)])
            findings.fresh = load_content(
                now.model, now.path, content, now.environ, prefix=now.prefix, known=now.secrets
            )
        except ConfigError as refusal:
            if self._refused != (digest, str(refusal)):
                self._refused = (digest, str(refusal))
                findings.refusal = refusal


def at_next_start(before: BaseModel, now: BaseModel, reloaded: Collection[str]) -> Iterator[str]:
    """A notice for each setting that differs and isn't among those that are taken over at once."""
    for name in type(before).model_fields:
        if name not in reloaded and getattr(now, name) != getattr(before, name):
            yield f"{name}: has changed and takes effect at the next start"


def _emptied(path: Path) -> Problem:
    """Nobody means that while the service runs: an editor was caught between two steps."""
    return Problem(str(path), "", "is empty now; write the settings, or stop the service")


def _stamp_or_none(path: Path) -> Stamp | None:
    try:
        return stamp_of(path)
    except FileTrouble:
        return None
