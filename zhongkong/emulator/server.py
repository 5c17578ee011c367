"""The HTTP face of the emulator: reads requests, carries out faults, writes answers.

All that WeChat knows or decides is in the model. The control calls are mounted here and live in
control.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from zhongkong.emulator.control import Control
from zhongkong.emulator.request import ApiRequest
from zhongkong.emulator.wire import WireAnswer, spoilt, written
from zhongkong.runtime.logs import get_logger

if TYPE_CHECKING:
    from zhongkong.emulator.faults import Course
    from zhongkong.emulator.refusal import Payload
    from zhongkong.emulator.world import World

BODY_AT_MOST: Final = 1024 * 1024

log = get_logger()


class BareResponse(web.Response):
    """Sent without a Content-Type, which aiohttp would otherwise add."""


def make_app(world: World, *, control_from_anywhere: bool = False) -> web.Application:
    """The whole emulator as an application. Control calls are for loopback peers by default."""
    app = web.Application(client_max_size=BODY_AT_MOST)
    app.on_response_prepare.append(_drop_content_type)
    Control(world, from_anywhere=control_from_anywhere).mount(app)
    app.router.add_route(hdrs.METH_ANY, "/{tail:.*}", Face(world).serve)
    return app


class Face:
    """Answers everything that isn't a control call as WeChat would."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def serve(self, http: web.Request) -> web.Response:
        body = await _read(http)
        if body is None:
            return _unreadable()
        request = ApiRequest.from_wire(
            http.method,
            http.raw_path,
            peer=http.remote or "",
            headers=tuple(http.headers.items()),
            body=body,
        )
        model, time = self._world.model, self._world.time
        course = model.course(request)
        if course.delay_before_s:
            await time.sleep(course.delay_before_s)
        answer = model.perform(request, time.now(), course)
        if course.delay_after_s:
            await time.sleep(course.delay_after_s)
        _log(request, course, answer)
        return self._end(http, course, answer)

    def _end(self, http: web.Request, course: Course, answer: Payload | None) -> web.Response:
        parameters, chance = self._world.model.parameters, self._world.model.platform.chance
        if course.ending == "disconnect" or (course.ending == "answer" and answer is None):
            return _cut_off(http)
        if course.ending != "answer":
            return _response(spoilt(answer, course.ending, parameters, chance))
        return _response(written(answer or {}, parameters, chance))


def _cut_off(http: web.Request) -> web.Response:
    """Reset the connection. The response is for aiohttp's sake; it has nowhere to go."""
    if http.transport is not None:
        http.transport.abort()
    return web.Response(status=502)


async def _read(http: web.Request) -> bytes | None:
    """The body; None when it is too large or isn't encoded as it says."""
    try:
        return await http.read()
    except web.HTTPRequestEntityTooLarge:
        return None
    except web.RequestPayloadError:
        # aiohttp would read on to the end of the body and trip over the same error once more.
        http.content.feed_eof()
        return None


def _unreadable() -> web.Response:
    response = web.json_response({"errcode": 45002, "errmsg": "content size out of limit"})
    response.force_close()
    return response


def _response(answer: WireAnswer) -> web.Response:
    if answer.content_type is None:
        return BareResponse(status=answer.status, body=answer.body)
    headers = {hdrs.CONTENT_TYPE: answer.content_type}
    return web.Response(status=answer.status, body=answer.body, headers=headers)


async def _drop_content_type(_: web.Request, response: web.StreamResponse) -> None:
    if isinstance(response, BareResponse):
        response.headers.popall(hdrs.CONTENT_TYPE, None)


def _log(request: ApiRequest, course: Course, answer: Payload | None) -> None:
    log.info(
        "request_answered",
        method=request.method,
        path=request.path[:200],
        peer=request.peer,
        errcode=None if answer is None else answer.get("errcode", 0),
        struck_by=list(course.struck_by),
    )
