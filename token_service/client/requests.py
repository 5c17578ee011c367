"""What a client asks the service for: a token, the judgement of a dead one, a call to WeChat."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from token_service.client.errors import ServiceUnreachable
from token_service.client.held import read_token
from token_service.client.link import Link, Reply, TooLarge
from token_service.client.refusals import error_of, is_problem
from zhongkong.wechat.answer import parse_answer
from zhongkong.wechat.errors import OutcomeUnknown, OutcomeUnknownReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from token_service.client.held import HeldToken
    from token_service.client.key import Key
    from zhongkong.runtime.clock import Clock, Randomness

_TOKEN_S: Final = 8.0
"""The service lets a request wait 5 s for a token."""
_REPORT_S: Final = 30.0
_PAUSE_S: Final = (0.05, 0.2)
_TOKEN_BYTES: Final = 64 * 1024
_ANSWER_BYTES: Final = 8 << 20
_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}
_GATEWAY_TROUBLE: Final = frozenset({500, 502, 504})
_PATH: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)+\Z")


class Requests:
    """The service's calls as methods. Each raises TokenServiceError's leaves."""

    def __init__(self, link: Link, key: Key, clock: Clock, randomness: Randomness) -> None:
        self._link = link
        self._key = key
        self._clock = clock
        self._randomness = randomness

    async def token(self, account: str, kind: str, known: str | None = None) -> HeldToken | None:
        """The live token; None when it still is the version `known`. May be repeated."""
        headers = {} if known is None else {"If-None-Match": f'"{known}"'}
        return await self._token("GET", _token_path(account, kind), _TOKEN_S, headers=headers)

    async def report(self, account: str, kind: str, version: str, errcode: int) -> HeldToken:
        """Say that WeChat refused this version; the token to go on with. May be repeated."""
        path = f"{_token_path(account, kind)}/rejections"
        body = json.dumps({"version": version, "errcode": errcode}).encode()
        found = await self._token("POST", path, _REPORT_S, headers=_JSON, data=body)
        if found is None:
            raise ServiceUnreachable("a report was answered with 304", may_have_arrived=True)
        return found

    async def call(
        self,
        account: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None,
        payload: Any,
        data: Any,
        within_s: float,
    ) -> dict[str, Any]:
        """Have WeChat called once. Raises WeChatError and OutcomeUnknown besides."""
        if not _PATH.match(path):
            raise ValueError("a path is WeChat's own, without query: /cgi-bin/menu/get")
        headers = None
        if payload is not None:
            # Raw UTF-8: WeChat shows escapes as they stand.
            data, headers = json.dumps(payload, ensure_ascii=False).encode(), _JSON
        key = await self._key.current()
        try:
            reply = await self._link.send(
                method.upper(),
                f"/v1/accounts/{quote(account, safe='')}/wechat{path}",
                key=key,
                within_s=within_s,
                at_most=_ANSWER_BYTES,
                headers=headers,
                params=params,
                data=data,
            )
        except TooLarge:
            limit = f"the answer is larger than {_ANSWER_BYTES} bytes"
            raise OutcomeUnknown(OutcomeUnknownReason.TOO_LARGE, limit, endpoint=path) from None
        except ServiceUnreachable as lost:
            if not lost.may_have_arrived:
                raise
            reason = OutcomeUnknownReason.CONNECTION_LOST
            raise OutcomeUnknown(reason, str(lost), endpoint=path) from None
        return _answer(reply, path, key)

    async def _token(
        self, method: str, path: str, within_s: float, **request: Any
    ) -> HeldToken | None:
        """Ask twice at most: another replica may answer, or another key be in the file by now."""
        try:
            reply = await self._ask(method, path, within_s, **request)
        except ServiceUnreachable:
            await self._clock.sleep(self._randomness.uniform(*_PAUSE_S))
            reply = await self._ask(method, path, within_s, **request)
        asked_at, asked_at_monotonic, key, answer = reply
        if answer.status == 401 and await self._key.reread():
            reply = await self._ask(method, path, within_s, **request)
            asked_at, asked_at_monotonic, key, answer = reply
        if answer.status == 304:
            return None
        if answer.status == 200:
            try:
                return read_token(json.loads(answer.body), asked_at, asked_at_monotonic)
            except (ValueError, RecursionError):
                pass
        raise error_of(answer.status, answer.headers, answer.body, key=key)

    async def _ask(
        self, method: str, path: str, within_s: float, **request: Any
    ) -> tuple[float, float, str, Reply]:
        key = await self._key.current()
        asked_at, asked_at_monotonic = self._clock.now(), self._clock.monotonic()
        try:
            reply = await self._link.send(
                method, path, key=key, within_s=within_s, at_most=_TOKEN_BYTES, **request
            )
        except TooLarge:
            reply = Reply(200, {}, b"")
        return asked_at, asked_at_monotonic, key, reply


def _token_path(account: str, kind: str) -> str:
    return f"/v1/accounts/{quote(account, safe='')}/tokens/{quote(kind, safe='')}"


def _answer(reply: Reply, path: str, key: str) -> dict[str, Any]:
    if not is_problem(reply.headers):
        answer = parse_answer(reply.status, reply.body, endpoint=path, hide=[key])
        answer.raise_for_errcode()
        return answer.payload
    error = error_of(reply.status, reply.headers, reply.body, key=key)
    if reply.status in _GATEWAY_TROUBLE:
        reason = OutcomeUnknownReason.CONNECTION_LOST
        raise OutcomeUnknown(reason, str(error), endpoint=path)
    raise error
