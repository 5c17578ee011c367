"""`token-service status`: asks a running service for its status, and shows it to a person."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Final

from pydantic import ConfigDict
from rich.console import Console
from rich.table import Table

from token_service.internal import STATUS_PATH
from token_service.settings import ENV_PREFIX, TokenServiceSettings
from zhongkong.runtime.settings import HostPort, Settings, load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ADMIN_KEY_VARIABLE: Final = "ZHONGKONG_ADMIN_KEY"
_TIMEOUT_S: Final = 5.0
_ANSWER_AT_MOST: Final = 64 * 1024**2
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared only
_DEFAULTS: Final = TokenServiceSettings()


class StatusUnavailable(Exception):
    """The running service can't be asked; the message says why and what to do."""


class _Address(Settings):
    """The one setting needed here: whoever asks needn't be able to read the secrets."""

    model_config = ConfigDict(extra="ignore")

    internal_listen: HostPort = _DEFAULTS.internal_listen


def fetch_status(config: Path, environ: Mapping[str, str], key_file: Path | None) -> dict[str, Any]:
    """The status document. Blocking for seconds. Raises ConfigError, StatusUnavailable."""
    address = load(_Address, config, environ, prefix=ENV_PREFIX).settings.internal_listen
    key = _admin_key(environ, key_file)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    host = _EVERYWHERE.get(address.host, address.host)
    connection = HTTPConnection(host, address.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", STATUS_PATH, headers=headers)
        answer = connection.getresponse()
        return _document(answer.status, answer.read(_ANSWER_AT_MOST), address)
    except (OSError, HTTPException, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise StatusUnavailable(
            f"no token service answers at {address} (internal_listen in {config}): {why}; "
            "start it with `token-service run`"
        ) from None
    finally:
        connection.close()


def print_status(document: dict[str, Any], *, as_json: bool) -> None:
    """Print the document as JSON, or as a table with what needs attention below it."""
    console = Console(soft_wrap=as_json)
    if as_json:
        console.print_json(data=document)
        return
    console.print(_table(document))
    for line in _attention(document):
        console.print(line, markup=False)


def _admin_key(environ: Mapping[str, str], key_file: Path | None) -> str:
    if key_file is None:
        return environ.get(ADMIN_KEY_VARIABLE, "")
    try:
        key = key_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise StatusUnavailable(f"the key file {key_file} can't be read") from None
    if not key or not key.isascii() or not key.isprintable():
        raise StatusUnavailable(f"the key file {key_file} holds no key")
    return key


def _document(status: int, body: bytes, address: HostPort) -> dict[str, Any]:
    if status == 401:
        raise StatusUnavailable(
            f"{address} wants the admin key: set {ADMIN_KEY_VARIABLE} or give --key-file"
        )
    if status != 200:
        raise StatusUnavailable(f"what listens at {address} answered {status}; is it the service?")
    document = json.loads(body)
    if not isinstance(document, dict) or "tokens" not in document:
        raise StatusUnavailable(f"what listens at {address} is no token service")
    return document


def _table(document: dict[str, Any]) -> Table:
    title = f"{document['replica']}: {'ready' if document['ready'] else 'not ready'}"
    table = Table(title=title, title_justify="left")
    for heading in ("Account", "Kind", "Mode", "Live", "Expires in", "Calls today", "Alarms"):
        table.add_column(heading, overflow="fold")
    for token in document["tokens"]:
        calls = [f"{call} {b['spent']}/{b['limit']}" for call, b in token["budget"].items()]
        table.add_row(
            token["account"],
            token["kind"],
            token["mode"],
            "[green]yes" if token["live"] else "[red]no",
            _span(token["expires_in"]) if token["live"] else "-",
            "\n".join(calls),
            "\n".join(token["alarms"]) or "-",
        )
    return table


def _attention(document: dict[str, Any]) -> Iterator[str]:
    store = document["store"]
    if not store["reachable"]:
        yield f"store {store['address']} can't be reached; live tokens are still handed out"
    for token in document["tokens"]:
        for trouble in (token["failure"], *token["refused_addresses"]):
            if trouble is not None:
                yield f"{token['account']}: {_trouble(trouble)}"
    config = document["config"]
    for line in (*config["refused_because"], *config["unreadable_secrets"], *config["notices"]):
        yield f"config: {line}"
    for task, error in document["failing_tasks"].items():
        yield f"task {task} keeps failing: {error}; the log has the traceback"


def _trouble(trouble: dict[str, Any]) -> str:
    detail = trouble.get("detail") or f"address {trouble.get('address') or 'unknown'} is refused"
    code = f" (errcode {trouble['errcode']})" if trouble["errcode"] is not None else ""
    until = trouble.get("retry_at") or trouble.get("until")
    told = not trouble["remedy"] or trouble["remedy"] in detail
    remedy = "" if told else f" Do: {trouble['remedy']}"
    return f"{detail}{code}; tried again at {until}.{remedy}"


def _span(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest:02d} s"
