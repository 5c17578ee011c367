"""The trace of each request: in the ledger for the tests, in the journal for rid/get."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from zhongkong.emulator.contents import FileAnswer
from zhongkong.emulator.entries import RequestSeen
from zhongkong.emulator.journal import TEXT_KEPT, JournalEntry
from zhongkong.emulator.ledger import PATH_SHOWN

if TYPE_CHECKING:
    from zhongkong.emulator.endpoint import Answer, Visit
    from zhongkong.emulator.faults import Course
    from zhongkong.emulator.platform import Platform
    from zhongkong.emulator.refusal import Payload
    from zhongkong.emulator.request import ApiRequest

_SECRET_FIELDS: Final = re.compile(r'("(?:app)?secret"\s*:\s*")[^"]*')


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes down; decides nothing."""

    platform: Platform

    def look_for_secrets(self, request: ApiRequest, now: float) -> None:
        sightings = self.platform.ledger.sightings
        met = request.upload.met if request.upload else frozenset()
        sightings.scan(request.path, request.texts(), now, met=met)
        fields = {**dict(request.headers), **request.fields()}
        named = [(name, value) for name, value in fields.items() if isinstance(value, str)]
        sightings.note_named(request.path, named, now)

    def record(self, visit: Visit, course: Course, answer: Answer | None, rid: str | None) -> None:
        request, ledger = visit.request, self.platform.ledger
        delays_s = course.delay_before_s + course.delay_after_s
        seen = RequestSeen(
            seq=ledger.next_seq(),
            at=visit.now,
            method=request.method,
            path=request.path[:PATH_SHOWN],
            peer=request.peer,
            appid=visit.account.appid if visit.account else self.platform.owner_of(request),
            errcode=errcode_of(answer),
            cost_ms=int(self.platform.chance.uniform(5, 60) + delays_s * 1000),
            rid=rid,
            fault=", ".join(course.struck_by) or None,
        )
        ledger.request_seen(seen)
        if rid is not None and not isinstance(answer, FileAnswer):
            self.platform.journal.keep(rid, _journal_entry(seen, request, answer))


def errcode_of(answer: Answer | None) -> int | None:
    """None where there is no answer, 0 for a file."""
    if answer is None or isinstance(answer, FileAnswer):
        return answer if answer is None else 0
    return int(answer.get("errcode", 0))


def _journal_entry(seen: RequestSeen, request: ApiRequest, answer: Payload | None) -> JournalEntry:
    body = request.body.decode("utf-8", "replace")
    return JournalEntry(
        appid=seen.appid,
        invoked_at=seen.at,
        cost_ms=seen.cost_ms,
        url=request.url_for_journal()[:TEXT_KEPT],
        request_body=_SECRET_FIELDS.sub(r"\1***", body)[:TEXT_KEPT],
        response_body=orjson.dumps(answer).decode()[:TEXT_KEPT],
        peer=seen.peer,
    )
