"""PURE: patterns over one field of an event: exact text, a glob, or a /regex/.

Users choose the text that is matched, and a pattern must not let them stall the loop. So regexes
and globs alike run on RE2, whose time grows with the length of the text alone; Python's own
engine backtracks, and refusing nested quantifiers wouldn't bound it (`a*a*a*b` has none). The
price is a syntax without look-around and back-references.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import re2  # type: ignore[import-untyped]  # it brings no types

TEXT_AT_MOST: Final = 4096
"""Characters of a text that are looked at by globs and regexes. WeChat's longest has 2048 bytes."""
PATTERN_AT_MOST: Final = 512

_PROGRAM_AT_MOST: Final = 10_000
"""Steps that RE2 compiles a pattern to: they bound the time of one character."""
_SLASHED: Final = re.compile(r"/(.*)/([A-Za-z]*)\Z", re.DOTALL)


class PatternRefused(ValueError):
    """No pattern. The message has no subject, as in "is empty"."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """`text` is as it was written. An exact pattern has no engine."""

    text: str
    ignore_case: bool = False
    _engine: Any = field(default=None, repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, *, ignore_case: bool = False) -> Pattern:
        """Read `exact`, `glo*` or `glo?`, `/regex/` or `/regex/i`. Raises PatternRefused."""
        if len(text) > PATTERN_AT_MOST:
            raise PatternRefused(f"is longer than {PATTERN_AT_MOST} characters")
        if slashed := _SLASHED.match(text):
            regex, flags = slashed.groups()
            if flags not in {"", "i"}:
                raise PatternRefused(
                    f"is a regex with the flags {flags}, and only i is known; text with slashes "
                    r"at both ends is written as a regex, as /^\/text\/$/"
                )
            if not regex:
                raise PatternRefused("is an empty regex; leave the field out to take everything")
            return cls(text, ignore_case, _regex(regex, ignore_case=ignore_case or flags == "i"))
        if "*" in text or "?" in text:
            return cls(text, ignore_case, _glob(text, ignore_case=ignore_case))
        return cls(text, ignore_case)

    @property
    def is_exact(self) -> bool:
        return self._engine is None

    @property
    def is_any(self) -> bool:
        """Whether every text fits, the empty one too."""
        return bool(self.text) and not self.text.strip("*")

    def fits(self, text: str) -> bool:
        """Whether the text is one that this pattern means. Linear in its length."""
        if self._engine is None:
            same = text == self.text
            return same or (self.ignore_case and text.casefold() == self.text.casefold())
        # As bytes, or RE2's Python half would count characters for positions nobody asks for.
        return self._engine.search(text[:TEXT_AT_MOST].encode("utf-8", "replace")) is not None

    def covers(self, other: Pattern) -> bool:
        """Whether all that fits `other` fits this one; False when that can't be told."""
        return (
            self.is_any
            or self == other
            or (other.is_exact and self.ignore_case >= other.ignore_case and self.fits(other.text))
        )

    def __str__(self) -> str:
        return self.text


def _glob(text: str, *, ignore_case: bool) -> Any:
    parts = (".*" if sign == "*" else "." if sign == "?" else re2.escape(sign) for sign in text)
    return _compiled(rf"(?s)\A(?:{''.join(parts)})\z", ignore_case=ignore_case)


def _regex(text: str, *, ignore_case: bool) -> Any:
    return _compiled(text, ignore_case=ignore_case)


def _compiled(text: str, *, ignore_case: bool) -> Any:
    options = re2.Options()
    options.never_capture = True
    options.case_sensitive = not ignore_case
    options.log_errors = False
    try:
        engine = re2.compile(text, options)
    except UnicodeEncodeError:
        raise PatternRefused("is not text that UTF-8 can hold") from None
    except re2.error as error:
        raise PatternRefused(f"is no regex of RE2's syntax: {_said(error)}") from None
    if engine.programsize > _PROGRAM_AT_MOST:
        raise PatternRefused("is too large a regex: its repetitions multiply to too many steps")
    return engine


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
