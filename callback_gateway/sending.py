"""`callback-gateway send`: a test callback to a running gateway, repeated as WeChat repeats it."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from callback_gateway.sample_callback import AnswerRefused, answered, sample
from zhongkong.runtime.asking import NotReached

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from callback_gateway.accounts import Account
    from zhongkong.runtime.clock import Clock, Randomness

HUNG_UP_AFTER_S: Final = 5.0
"""WeChat waits so long for an answer, then it sends the callback again."""
_ANSWER_AT_MOST: Final = 1024**2


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended. `status` is None when no try was answered."""

    tries: int
    status: int | None
    said: bytes | None = None
    """The answer, decrypted; None for nothing to say."""
    flaw: str | None = None
    """Why WeChat wouldn't take the answer."""

    @property
    def good(self) -> bool:
        return self.status == 200 and self.flaw is None


def send(
    account: Account,
    fields: Mapping[str, Any],
    url: str,
    *,
    tries: int,
    clock: Clock,
    randomness: Randomness,
    heard: Callable[[str], None],
) -> Outcome:
    """Send one callback, again while it is left without an answer. Blocking for `tries` times 5 s.

    `url` is the gateway's address without a path; `heard` is told of every try left unanswered.
    Raises NotReached.
    """
    for number in range(1, tries + 1):
        try:
            status, body = _post(account, fields, url, clock, randomness)
        except _Unanswered:
            heard(f"try {number} of {tries}: left without an answer")
            continue
        if status != 200:
            return Outcome(number, status, body)
        try:
            return Outcome(number, status, answered(account, body))
        except AnswerRefused as refused:
            return Outcome(number, status, flaw=str(refused))
    return Outcome(tries, None)


class _Unanswered(Exception):
    """The connection was taken, and ended without an answer in time."""


def _post(
    account: Account,
    fields: Mapping[str, Any],
    url: str,
    clock: Clock,
    randomness: Randomness,
) -> tuple[int, bytes]:
    made = sample(
        account,
        fields,
        timestamp=int(clock.now()),
        nonce=randomness.token(5),
        noise=randomness.token(8),
    )
    connection = _connection(url)
    prefix = urlsplit(url).path.rstrip("/")
    try:
        connection.connect()
        connection.request(
            "POST", prefix + made.target, body=made.body, headers={"Content-Type": "text/xml"}
        )
    except OSError as error:
        connection.close()
        why = error.strerror or type(error).__name__
        raise NotReached(
            f"no gateway answers at {url}: {why}; start it with `callback-gateway run`, or give "
            "--url"
        ) from None
    try:
        answer = connection.getresponse()
        return answer.status, answer.read(_ANSWER_AT_MOST)
    except (OSError, HTTPException):
        raise _Unanswered from None
    finally:
        connection.close()


def _connection(url: str) -> HTTPConnection:
    """Raises NotReached for what is no address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise NotReached("--url is the gateway's address, as http://127.0.0.1:8082")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(host, port, timeout=HUNG_UP_AFTER_S)
