"""`token-service status`: asks a running service for its status, and shows it to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from token_service.freeze import Way
from token_service.running import running
from zhongkong.runtime.admin import STATUS_PATH
from zhongkong.runtime.asking import NotReached
from zhongkong.runtime.tables import printer, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rich.table import Table


def fetch_status(config: Path, environ: Mapping[str, str], key_file: Path | None) -> dict[str, Any]:
    """The status document. Blocking for seconds. Raises ConfigError, NotReached."""
    document = running(config, environ, key_file).ask("GET", STATUS_PATH)
    if "tokens" not in document:
        raise NotReached("what listens there is no token service")
    return document


def print_status(document: dict[str, Any], *, as_json: bool) -> None:
    """Print the document as JSON, or as a table with what needs attention below it."""
    console = printer(as_json=as_json)
    if as_json:
        console.print_json(data=document)
        return
    console.print(_table(document))
    for line in _attention(document):
        console.print(line, markup=False, soft_wrap=True)


def _table(document: dict[str, Any]) -> Table:
    title = f"{document['replica']}: {'ready' if document['ready'] else 'not ready'}"
    rows = table(
        *("Account", "Kind", "Mode", "Live", "Expires in", "Calls today", "Alarms"), title=title
    )
    for token in document["tokens"]:
        calls = [f"{call} {b['spent']}/{b['limit']}" for call, b in token["budget"].items()]
        rows.add_row(
            token["account"],
            token["kind"],
            token["mode"],
            "[green]yes" if token["live"] else "[red]no",
            _span(token["expires_in"]) if token["live"] else "-",
            "\n".join(calls),
            "\n".join(token["alarms"]) or "-",
        )
    return rows


def _attention(document: dict[str, Any]) -> Iterator[str]:
    store = document["store"]
    if not store["reachable"]:
        yield f"store {store['address']} can't be reached; live tokens are still handed out"
    frozen = store["frozen"]
    if frozen is not None:
        yield (
            f"store {store['address']} is frozen, {Way(frozen['way']).words} {frozen['other']} "
            f"since {frozen['since']}: nothing is fetched from WeChat. Do: {frozen['remedy']}"
        )
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
