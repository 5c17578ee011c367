"""Structured logs: few wide lines, JSON unless a person looks at a terminal.

Every line passes one pipeline: context, timestamp, traceback without local variables, redaction,
rendering, the writer's queue. Libraries that use `logging` come in at WARNING and above. What is
secret is decided in `redaction`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TextIO, cast

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from zhongkong.runtime.clock import SystemClock
from zhongkong.runtime.log_fields import cleaned, to_json
from zhongkong.runtime.log_writer import MAX_QUEUED_BYTES, LineWriter
from zhongkong.runtime.redaction import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

    from zhongkong.runtime.clock import Clock

Level = Literal["debug", "info", "warning", "error"]
LEVELS: Sequence[Level] = ("debug", "info", "warning", "error")

_MAX_FRAMES = 30
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(10), *range(11, 32), *range(127, 160))}
"""What a caller sent must not steer the terminal of whoever reads the log."""


class LogOutput:
    """Where the process's lines go; made by `configure`, closed at the end of the process."""

    def __init__(
        self, service: str, stream: TextIO, clock: Clock, *, json: bool, max_queued_bytes: int
    ) -> None:
        self.json = json
        self._service = service
        self._clock = clock
        self._console = None if json else _console_renderer(colors=stream.isatty())
        self._writer = LineWriter(stream, self._dropped_line, max_queued_bytes=max_queued_bytes)

    @property
    def dropped(self) -> int:
        """Lines lost so far."""
        return self._writer.dropped

    def head(self, level: str) -> dict[str, Any]:
        """The fields that every line begins with."""
        timestamp = _rfc3339(self._clock.now())
        return {"timestamp": timestamp, "level": level, "service": self._service}

    def write_clean(self, fields: dict[str, Any]) -> None:
        """Queue a line whose values are plain and hold no secret."""
        self._writer.write(self._rendered(fields))

    def close(self, deadline_s: float = 2.0) -> bool:
        """Write what is queued; False when the deadline passed first. May be repeated."""
        return self._writer.close(deadline_s)

    def write_around(self, ends: tuple[str, str], text: str) -> None:
        """Queue the line of JSON that has the time before `ends[0]`, and `text` between the two."""
        line = f'{{"timestamp":"{_rfc3339(self._clock.now())}{ends[0]}{text}{ends[1]}'
        self._writer.write(line.encode())

    def ends_of(
        self, level: str, event: str, name: str, rest: Mapping[str, Any]
    ) -> tuple[str, str]:
        """A line for `write_around`: what stands before and after the text of the field `name`."""
        opening = {"level": level, "service": self._service, "event": event, name: ""}
        after = to_json(rest).decode().removeprefix("{")
        return (
            f'",{to_json(opening).decode()[1:-3]}',
            f'",{after}' if rest else '"}\n',
        )

    def _rendered(self, fields: dict[str, Any]) -> bytes:
        if self._console is None:
            return to_json(fields)
        shown = {
            name: value.translate(_ESCAPES) if isinstance(value, str) else value
            for name, value in fields.items()
        }
        return f"{self._console(None, '', shown)}\n".encode("utf-8", "backslashreplace")

    def _dropped_line(self, count: int) -> bytes:
        return self._rendered(
            {**self.head("warning"), "event": "log_lines_dropped", "lines": count}
        )


class AuditLine:
    """A line with fixed fields, as cheap as a line can be.

    The fields are named once, and a name that could hold a secret is refused, so the values need
    no redaction: texts and numbers that are no secrets. `request_id` is a field like any other.
    """

    __slots__ = ("_event", "_fields", "_level")

    def __init__(self, event: str, fields: Sequence[str], level: Level = "info") -> None:
        if secret := [name for name in fields if is_secret_name(name)]:
            raise ValueError(f"{', '.join(secret)} could hold a secret: an audit line must not")
        self._event = event
        self._fields = tuple(fields)
        self._level = level

    def write(self, *values: str | float | bool | None) -> None:
        """Queue one line with the values in the order of the fields. Never blocks."""
        fields = dict(zip(self._fields, values, strict=True))
        if _current is None:
            get_logger().info(self._event, **fields)
            return
        line = _current.head(self._level)
        line["event"] = self._event
        line.update(fields)
        _current.write_clean(line)

    def ready(self, *values: str | float | bool | None) -> ReadyLine:
        """The line with all values given but that of the first field."""
        return ReadyLine(self, values)

    def ends_for(self, output: LogOutput, values: Sequence[Any]) -> tuple[str, str]:
        first, *others = self._fields
        rest = dict(zip(others, values, strict=True))
        return output.ends_of(self._level, self._event, first, rest)


class ReadyLine:
    """An audit line rendered beforehand, but for the time and the text of its first field."""

    __slots__ = ("_ends", "_line", "_output", "_values")

    def __init__(self, line: AuditLine, values: Sequence[str | float | bool | None]) -> None:
        self._line = line
        self._values = values
        self._output: LogOutput | None = None
        self._ends = ("", "")

    def write(self, text: str) -> None:
        """Queue the line. `text` must need no escaping in JSON: letters, digits, ._:+/=- alone."""
        output = _current
        if output is None or not output.json:
            self._line.write(text, *self._values)
            return
        if output is not self._output:
            self._output, self._ends = output, self._line.ends_for(output, self._values)
        output.write_around(self._ends, text)


_current: LogOutput | None = None


def configure(
    service: str,
    *,
    stream: TextIO | None = None,
    json: bool | None = None,
    level: Level = "info",
    clock: Clock | None = None,
    max_queued_bytes: int = MAX_QUEUED_BYTES,
) -> LogOutput:
    """Send all logging of the process to `stream` (default stdout) from now on.

    `json=None` means JSON unless the stream is a terminal. May be repeated: the previous output
    is closed. The output closes itself at exit; `close` does so earlier.
    """
    global _current  # noqa: PLW0603 - a process has one log, as it has one stdout
    stream = stream or sys.stdout
    json = not stream.isatty() if json is None else json
    close()
    output = LogOutput(
        service, stream, clock or SystemClock(), json=json, max_queued_bytes=max_queued_bytes
    )
    _current = output
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _emit],
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        logger_factory=structlog.ReturnLoggerFactory(),
        # Modules make their loggers before this runs, and tests configure more than once.
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_LibraryHandler()]
    root.setLevel(max(logging.WARNING, _number(level)))
    atexit.unregister(close)
    atexit.register(close)
    return output


def close(deadline_s: float = 2.0) -> bool:
    """Write what is queued; False when the deadline passed first. May be repeated."""
    return _current is None or _current.close(deadline_s)


def get_logger(**bound: Any) -> FilteringBoundLogger:
    """A logger that puts `bound` on each of its lines. May be made before `configure`."""
    return cast("FilteringBoundLogger", structlog.get_logger(**bound))


def _emit(_logger: WrappedLogger, method: str, event_dict: EventDict) -> EventDict:
    """The end of the pipeline."""
    if _current is not None:
        _write(_current, "error" if method == "exception" else method, event_dict)
    raise structlog.DropEvent


def _write(output: LogOutput, level: str, event_dict: MutableMapping[str, Any]) -> None:
    trouble = _exc_info(event_dict.pop("exc_info", None))
    fields = {"event": event_dict.pop("event", ""), **event_dict}
    if trouble is not None:
        fields["exception"] = _traceback(trouble, structured=output.json)
    line = {**output.head(level), **cleaned(fields)}
    output.write_clean(line)


def _exc_info(given: Any) -> BaseException | None:
    """The exception that a logger was given in one of the three usual ways."""
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return cast("BaseException | None", given[1])
    return sys.exc_info()[1] if given else None


def _traceback(trouble: BaseException, *, structured: bool) -> Any:
    if not structured:
        return "".join(traceback.format_exception(trouble, limit=-_MAX_FRAMES))
    # Local variables are where secrets are.
    transform = ExceptionDictTransformer(show_locals=False, max_frames=_MAX_FRAMES)
    return transform((type(trouble), trouble, trouble.__traceback__))


class _LibraryHandler(logging.Handler):
    """Brings the records of libraries into the pipeline."""

    def emit(self, record: logging.LogRecord) -> None:
        output = _current
        if output is None:
            return
        message = str(record.msg)
        with contextlib.suppress(TypeError, ValueError):  # a library's wrong format string
            message = record.getMessage()
        fields: dict[str, Any] = {
            **structlog.contextvars.get_contextvars(),
            "event": "library_logged",
            "logger": record.name,
            "message": message,
            "exc_info": record.exc_info,
        }
        _write(output, record.levelname.lower(), fields)


def _number(level: Level) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


def _console_renderer(*, colors: bool) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=colors, exception_formatter=structlog.dev.plain_traceback, pad_event_to=30
    )


def _rfc3339(now: float) -> str:
    return _instant(int(now * 1000))


@functools.lru_cache(maxsize=8)
def _instant(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{rest:03d}Z"
