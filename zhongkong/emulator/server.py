"""The HTTP face of the emulator: reads requests, carries out faults, writes answers.

All that WeChat knows or decides is in the model. The control calls are mounted here and live in
control.py, and the phone page, which lives in phone/.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from zhongkong.emulator.callbacks.office import PostOffice
from zhongkong.emulator.contents import BLOCK, FileAnswer
from zhongkong.emulator.control import Control
from zhongkong.emulator.endpoint import SMALL_BODY
from zhongkong.emulator.endpoints import body_at_most, manner
from zhongkong.emulator.intake import take_in
from zhongkong.emulator.phone.pages import Pages
from zhongkong.emulator.recorder import errcode_of
from zhongkong.emulator.request import ApiRequest
from zhongkong.emulator.sending import cut_off, send_file, send_half
from zhongkong.emulator.wire import WireAnswer, spoilt, written
from zhongkong.runtime.logs import get_logger

if TYPE_CHECKING:
    from zhongkong.emulator.endpoint import Answer
    from zhongkong.emulator.faults import Course
    from zhongkong.emulator.world import World

log = get_logger()


class BareResponse(web.Response):
    """Sent without a Content-Type, which aiohttp would otherwise add."""


def make_app(world: World, *, control_from_anywhere: bool = False) -> web.Application:
    """The whole emulator as an application. Control calls are for loopback peers by default."""
    app = web.Application(client_max_size=SMALL_BODY)
    app.on_response_prepare.append(_drop_content_type)
    office = PostOffice(world)
    Control(world, office, from_anywhere=control_from_anywhere).mount(app)
    Pages().mount(app)
    app.router.add_route(hdrs.METH_ANY, "/{tail:.*}", Face(world).serve)

    async def close(_: web.Application) -> None:
        await office.close()

    app.on_shutdown.append(close)
    return app


class Face:
    """Answers everything that is neither a control call nor the phone page as WeChat would."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def serve(self, http: web.Request) -> web.StreamResponse:
        head = _head(http)
        model, time = self._world.model, self._world.time
        watched = tuple(model.ledger.sightings.watched)
        body = await take_in(http, body_at_most(head.path), watched)
        request = replace(head, body=body.data, upload=body.upload)
        if not body.whole:
            model.turn_away(request, time.now())
            return _unreadable()
        course = model.course(request)
        if course.delay_before_s:
            await time.sleep(course.delay_before_s)
        answer = model.attend(request, time.now(), course)
        if course.delay_after_s:
            await time.sleep(course.delay_after_s)
        _log(request, course, answer)
        return await self._end(http, request.path, course, answer)

    async def _end(
        self, http: web.Request, path: str, course: Course, answer: Answer | None
    ) -> web.StreamResponse:
        model = self._world.model
        if course.ending == "disconnect" or (course.ending == "answer" and answer is None):
            return cut_off(http)
        if isinstance(answer, FileAnswer) and course.ending in {"answer", "cut_midway"}:
            return await send_file(http, answer, midway=course.ending == "cut_midway")
        if isinstance(answer, FileAnswer):
            sound = WireAnswer(200, answer.content_type, answer.content.read(0, BLOCK))
        else:
            chance = model.platform.chance
            sound = written(answer, model.parameters, chance, manner(path))
        if course.ending == "answer":
            return _response(sound)
        if course.ending == "cut_midway":
            return await send_half(http, sound)
        return _response(spoilt(sound, course.ending))


def _head(http: web.Request) -> ApiRequest:
    return ApiRequest.from_wire(
        http.method,
        http.raw_path,
        peer=http.remote or "",
        headers=tuple(http.headers.items()),
    )


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


def _log(request: ApiRequest, course: Course, answer: Answer | None) -> None:
    log.info(
        "request_answered",
        method=request.method,
        path=request.path[:200],
        peer=request.peer,
        errcode=errcode_of(answer),
        struck_by=list(course.struck_by),
    )
