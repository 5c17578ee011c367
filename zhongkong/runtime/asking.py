"""How a command talks to the running service: over its internal listener, with the admin key.

What answers there may be another version, or another program. So a command says by a `Form` what
it needs of an answer; what the forms hold is each service's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from zhongkong.runtime.settings import HostPort, Settings, load
from zhongkong.runtime.settings.errors import key_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ADMIN_KEY_VARIABLE: Final = "ZHONGKONG_ADMIN_KEY"
TIMEOUT_S: Final = 5.0
_ANSWER_AT_MOST: Final = 64 * 1024**2
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared only
_UNKNOWN_PATH: Final = (404, 405)

F = TypeVar("F", bound="Form")


class NotReached(Exception):
    """The running service can't be asked, or said no; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Service:
    """Which service is asked: its words in messages, and where it listens unless configured."""

    title: str
    """`token service`."""
    command: str
    """What starts it: `token-service run`."""
    prefix: str
    """Of the variables that override its settings."""
    internal_listen: HostPort


class Form(BaseModel):
    """What a command needs of an answer, as JSON has it. What else is in it is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked of whom, for a person who has to find it."""

    service: Service
    config: Path
    address: HostPort
    method: str
    path: str

    def misread(self, flaw: str) -> NotReached:
        """The answer is not what this version of the service would have said."""
        doubt = "" if self.method == "GET" else "; its status tells whether it did as it was asked"
        return NotReached(
            f"what listens at {self.address} (internal_listen in {self.config}) "
            f"{_printable(flaw)}: this is no {self.service.title}, or one of another version. "
            f"Use the command of its version, or start it anew with this one{doubt}"
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said: a JSON object that may be anything."""

    document: dict[str, Any] = field(repr=False)
    _question: _Question

    def read(self, form: type[F]) -> F:
        """What a command needs of it. Raises NotReached where that is missing or something else."""
        try:
            return form.model_validate(self.document)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            name = key_text(first["loc"])
            missing = first["type"] == "missing"
            flaw = f"answered without `{name}`" if missing else f"gave no usable `{name}`"
            raise self._question.misread(flaw) from None


@dataclass(frozen=True, slots=True)
class Asker:
    """One command's way to the running service."""

    service: Service
    config: Path
    environ: Mapping[str, str]
    key_file: Path | None = None

    def ask(
        self, method: str, path: str, body: object = None, *, timeout_s: float = TIMEOUT_S
    ) -> Answer:
        """Send one request. Blocking for seconds. Raises ConfigError, NotReached.

        `body` is sent as JSON unless it is None.
        """
        service = self.service
        settings = load(_Address, self.config, self.environ, prefix=service.prefix).settings
        address = settings.internal_listen or service.internal_listen
        headers = _headers(self.environ, self.key_file)
        sent = None if body is None else orjson.dumps(body)
        connection = HTTPConnection(reachable(address.host), address.port, timeout=timeout_s)
        try:
            connection.request(method, path, body=sent, headers=headers)
            response = connection.getresponse()
            status, said = response.status, response.read(_ANSWER_AT_MOST)
        except (OSError, HTTPException, ValueError) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise NotReached(
                f"no {service.title} answers at {address} (internal_listen in {self.config}): "
                f"{why}; start it with `{service.command}`"
            ) from None
        finally:
            connection.close()
        return _answered(_Question(service, self.config, address, method, path), status, said)


def reachable(host: str) -> str:
    """The address to call on this machine what listens on `host`, which may be every interface."""
    return _EVERYWHERE.get(host, host)


class _Address(Settings):
    """The one setting needed here: whoever asks needn't be able to read the secrets."""

    model_config = ConfigDict(extra="ignore")

    internal_listen: HostPort | None = None


def _answered(question: _Question, status: int, said: bytes) -> Answer:
    if status == 401:
        raise NotReached(
            f"{question.address} wants the admin key: set {ADMIN_KEY_VARIABLE} or give --key-file, "
            "and `admin_key_sha256` in its configuration"
        )
    try:
        document = orjson.loads(said)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise question.misread(f"answered {status} without a JSON object")
    if status == 200:
        return Answer(document, question)
    detail = document.get("detail")
    if status in _UNKNOWN_PATH and document.get("title") == HTTPStatus(status).phrase:
        raise question.misread(f"knows no {question.method} {question.path}")
    if not isinstance(detail, str) or not detail:
        raise question.misread(f"answered {status} without a reason")
    raise NotReached(_printable(detail))


def _printable(text: str) -> str:
    """Nothing that would steer the terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _headers(environ: Mapping[str, str], key_file: Path | None) -> dict[str, str]:
    key = _admin_key(environ, key_file)
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return headers


def _admin_key(environ: Mapping[str, str], key_file: Path | None) -> str:
    if key_file is None:
        return environ.get(ADMIN_KEY_VARIABLE, "")
    try:
        key = key_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise NotReached(f"the key file {key_file} can't be read") from None
    if not key or not key.isascii() or not key.isprintable():
        raise NotReached(f"the key file {key_file} holds no key")
    return key
