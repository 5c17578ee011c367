"""How control calls are read and answered: JSON, and errors that say what would be right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Answer = dict[str, Any]

_PROBLEMS_SHOWN: Final = 10


class BadCall(Exception):
    """A control call that can't be carried out. `status` is HTTP's."""

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status


def as_json(answer: Answer, status: int) -> web.Response:
    body = orjson.dumps(answer, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE)
    response = web.Response(status=status, body=body, content_type="application/json")
    if status >= 400:
        # The body may not have been read to its end.
        response.force_close()
    return response


async def read_body(http: web.Request, shape: type[T]) -> T:
    try:
        raw = await http.read()
    except web.HTTPRequestEntityTooLarge:
        raise BadCall("the body is larger than 1 MiB", 413) from None
    except web.RequestPayloadError:
        http.content.feed_eof()
        raise BadCall("the body breaks off or is not encoded as it says") from None
    return checked(TypeAdapter(shape).validate_json, raw or b"{}")


def checked(validate: Callable[[Any], T], raw: object) -> T:
    try:
        return validate(raw)
    except ValidationError as exc:
        raise BadCall(
            "; ".join(_problem(each) for each in exc.errors()[:_PROBLEMS_SHOWN])
        ) from None


def _problem(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    return f"{where}: {error['msg']}" if where else str(error["msg"])


def trying(step: Callable[[Any], T], argument: object) -> T:
    try:
        return step(argument)
    except ValueError as exc:
        raise BadCall(str(exc)) from None
