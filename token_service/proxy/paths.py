"""PURE: which path a caller means, and which class of path it is.

A path is brought into its one plain spelling; that string is matched against every rule and is the
one that is forwarded, so no spelling reaches what the plain path doesn't. WeChat's paths hold
letters, digits and `_ - . ~` between slashes, so whatever else could be read in two ways is
refused. Who may call what is decided in `rights`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zhongkong.runtime.settings.globs import PathGlob

LENGTH_AT_MOST: Final = 512

_PLAIN: Final = re.compile(r"/[A-Za-z0-9_~/.-]*\Z")
_SLASHES: Final = re.compile(r"/{2,}")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_DECODED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~")
"""The unreserved characters, but for the dot: an encoded one has no honest use."""

DENIED: Final = (
    "/cgi-bin/token",
    "/cgi-bin/stable_token",
    "/cgi-bin/gettoken",
    "/cgi-bin/ticket/getticket",
    "/cgi-bin/clear_quota",
    "/cgi-bin/openapi/quota/clear",
)
"""Never forwarded, whatever a client's globs say: they would make tokens or reset quotas."""

_DENIED_BELOW: Final = ("/cgi-bin/component/", "/cgi-bin/clear_quota/", "/cgi-bin/service/")


_REMEMBERED: Final = 1024
"""Callers choose paths, so what is remembered of them is bounded."""


class BadPath(ValueError):
    """The path can't be forwarded. The message says why and repeats nothing of it."""


class PathClass(StrEnum):
    """What stands for the caller on a path, and what is put in its place. Metric labels."""

    APP = "app_token"
    SECRET = "secret"
    USER = "user_token"
    DENIED = "denied"


def normalise(raw: str) -> str:
    """The plain spelling of the path of a request line. Idempotent. Raises BadPath."""
    if len(raw) > LENGTH_AT_MOST:
        raise BadPath(f"it is longer than {LENGTH_AT_MOST} characters")
    path = _ESCAPE.sub(_decode, raw) if "%" in raw else raw
    if "//" in path:
        path = _SLASHES.sub("/", path)
    if not _PLAIN.match(path):
        raise BadPath("only letters, digits and _ - . ~ may stand between its slashes")
    if "." in path and any(part.endswith(".") for part in path.split("/")):
        raise BadPath("it has a segment that is or ends with a dot")
    return path


def _decode(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    if character not in _DECODED:
        raise BadPath("it holds an encoded character that no path of WeChat's needs")
    return character


class PathRules:
    """The paths that are no app-token paths. `secret` goes before what is denied by its prefix."""

    def __init__(self, secret: tuple[PathGlob, ...], user_token: tuple[PathGlob, ...]) -> None:
        self.secret = secret
        self.user_token = user_token
        self._known: dict[str, PathClass] = {}

    def classify(self, path: str) -> PathClass:
        """The class of a normalised path.

        What is denied is recognised in any case and with a slash at its end, should the other side
        take those for the same; what is allowed only as it is written.
        """
        found = self._known.get(path)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[path] = self._classify(path)
        return found

    def guess(self, raw_path: str) -> str:
        """The class of a path that may be refused as it is written, for metrics and logs."""
        try:
            return self.classify(normalise(raw_path))
        except BadPath:
            return "malformed"

    def _classify(self, path: str) -> PathClass:
        plain = path.lower().rstrip("/")
        if plain in DENIED:
            return PathClass.DENIED
        if allowed(self.secret, path):
            return PathClass.SECRET
        if f"{plain}/".startswith(_DENIED_BELOW):
            return PathClass.DENIED
        return PathClass.USER if allowed(self.user_token, path) else PathClass.APP


def allowed(globs: Iterable[PathGlob], path: str) -> bool:
    """Whether one of the globs fits the normalised path."""
    return any(glob.matches(path) for glob in globs)


_READ: Final = re.compile(r"(?:batch_?)?get[_a-z0-9]*\Z|(?:list|query|search|info|count)\Z")


def only_reads(method: str, path: str) -> bool:
    """Whether a call can be repeated without a trace. False where it is not certain.

    WeChat deletes with GET too, so the method alone says little.
    """
    return method in {"GET", "HEAD"} and _READ.match(path.rpartition("/")[2].lower()) is not None
