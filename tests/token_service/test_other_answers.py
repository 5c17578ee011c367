"""What the commands of `token-service` make of an answer that is not what they know."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.fixtures.alone import alone_in
from tests.runtime.other_answers import flaws_told, other_service
from tests.token_service.fake_source import NOW
from tests.token_service.running import running, wechat, write_config
from tests.token_service.statuses import REFUSED, WRONG_SECRET, status
from token_service.cli import main
from token_service.freeze import Freeze, Way
from token_service.keys import digest_of_key
from token_service.status import ProcessStatus, status_document

ADMIN = "admin-key-0123456789abcdefghij"
CONFIG = "token_service.yaml"
Output = pytest.CaptureFixture[str]

PROCESS = ProcessStatus(
    replica="a",
    replicas=frozenset({"a"}),
    store="sqlite:////x.db",
    store_reachable=False,
    readiness=None,
    waiting=0,
    waiting_limit=10,
    notices=("a notice",),
    failing_tasks={"heartbeat": "OSError"},
    freeze=Freeze("copy-1", Way.OUT, "redis://other", NOW, None),
)
STATUS = orjson.loads(
    orjson.dumps(status_document(PROCESS, [status(failure=WRONG_SECRET, refusals=(REFUSED,))], NOW))
)
THAWED = {
    "thawed": True,
    "doubted": True,
    "way": "copied_to",
    "other": "redis://other",
    "since": "2027-01-15T08:00:00Z",
}
COPIED = {
    "from": "sqlite:////x.db",
    "to": "redis://other",
    "slots": 2,
    "tokens": 1,
    "calls": 0,
    "revocations": 0,
    "first_end": "2027-01-15T10:00:00Z",
    "again": False,
    "encrypted": False,
}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone_in(tmp_path, monkeypatch)


async def command(*arguments: str) -> int:
    return await asyncio.to_thread(main, arguments)


async def needed(tmp_path: Path, capsys: Output, said: Any, *arguments: str) -> set[str]:
    async with other_service(tmp_path / CONFIG, said) as other:
        assert await command(*arguments) == 0
        return await flaws_told(other, main, list(arguments), capsys)


async def test_a_status_of_another_form_is_one_clear_line(tmp_path: Path, capsys: Output) -> None:
    told = await needed(tmp_path, capsys, STATUS, "status")
    assert told > {"replica", "store", "store.frozen.way", "config.notices", "tokens[0].alarms"}
    assert told > {"tokens[0].budget.normal.spent", "tokens[0].failure.retry_at"}
    assert told.isdisjoint({"now", "waiting", "tokens[0].version", "tokens[0].failure.rid"})


async def test_a_document_of_another_version_is_shown_all_the_same_but_no_other_services(
    tmp_path: Path, capsys: Output
) -> None:
    assert await needed(tmp_path, capsys, STATUS, "status", "--json") == {"tokens", "tokens[0]"}


async def test_a_thaw_told_in_another_form_is_one_clear_line(
    tmp_path: Path, capsys: Output
) -> None:
    told = await needed(tmp_path, capsys, THAWED, "store", "thaw")
    assert told == {"thawed", "doubted", "way", "other"}


async def test_an_older_service_that_thawed_is_said_to_be_one(
    tmp_path: Path, capsys: Output
) -> None:
    older = {name: value for name, value in THAWED.items() if name != "doubted"}
    async with other_service(tmp_path / CONFIG, older):
        assert await command("store", "thaw") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "(internal_listen in token_service.yaml) answered without `doubted`: " in line
    assert line.endswith("; its status tells whether it did as it was asked")


async def test_a_copy_told_in_another_form_is_one_clear_line(
    tmp_path: Path, capsys: Output
) -> None:
    told = await needed(tmp_path, capsys, COPIED, "store", "copy", "--to", "redis://other")
    assert told == COPIED.keys()


async def test_no_key_is_left_by_a_copy_of_which_nothing_is_known(
    tmp_path: Path, capsys: Output
) -> None:
    keys = tmp_path / "tokens.db.opaque-keys"
    keys.write_text("a key that is long enough to be one\n")
    async with other_service(tmp_path / CONFIG, {}):
        with (tmp_path / CONFIG).open("a") as config:
            config.write("store: sqlite:///tokens.db\n")
        arguments = ("store", "copy", "--to", "redis://other", "--keys-out", "key")
        assert await command(*arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "answered without `from`" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == [CONFIG, keys.name]


async def test_a_client_counts_as_revoked_only_when_that_was_said(
    tmp_path: Path, capsys: Output
) -> None:
    said = {"client": "orders", "revoked": True}
    assert await needed(tmp_path, capsys, said, "clients", "revoke", "orders") == said.keys()


async def test_a_store_is_copied_and_thawed_by_commands(tmp_path: Path, capsys: Output) -> None:
    extra = f"admin_key_sha256: {digest_of_key(ADMIN)}\n"
    (tmp_path / "admin.key").write_text(ADMIN)
    key = ("--key-file", "admin.key")
    async with wechat() as emulator:
        path = write_config(tmp_path, emulator.port, extra=extra)
        async with running(path) as it:
            await it.token()
            copy = ("store", "copy", "--to", "sqlite:///other.db", "--keys-out", "key", *key)
            assert await command(*copy) == 0, capsys.readouterr().err
            assert "1 tokens" in capsys.readouterr().out
            assert await command("store", "thaw", *key) == 0
            assert "It was copied to" in capsys.readouterr().out
            assert await command("store", "thaw", *key) == 0
            assert "was not frozen" in capsys.readouterr().out
