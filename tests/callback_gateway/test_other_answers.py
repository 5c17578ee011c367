"""What the commands of `callback-gateway` make of an answer that is not what they know."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from callback_gateway.cli import main
from tests.callback_gateway.internal_world import internal_world
from tests.callback_gateway.settings_files import ADMIN
from tests.fixtures.alone import alone_in
from tests.runtime.other_answers import flaws_told, other_service

CONFIG = "callback_gateway.yaml"
Output = pytest.CaptureFixture[str]

LETTER = {
    "id": "evt_1.trading",
    "event_id": "evt_1",
    "account": "shop",
    "target": "trading",
    "kind": "notify",
    "reason": "exhausted",
    "accepted_at": "2026-01-02T03:00:00Z",
    "died_at": "2026-01-02T03:04:00Z",
    "attempts": [{"at": "2026-01-02T03:00:01Z", "took_s": 0.5, "outcome": "http_500"}],
}
NEEDED_OF_A_LETTER = {"id", "account", "kind", "reason", "died_at"}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone_in(tmp_path, monkeypatch)


async def needed(tmp_path: Path, capsys: Output, said: Any, *arguments: str) -> set[str]:
    async with other_service(tmp_path / CONFIG, said) as other:
        assert await asyncio.to_thread(main, arguments) == 0
        return await flaws_told(other, main, list(arguments), capsys)


async def status(folder: Path) -> Any:
    """As a gateway tells it that has something to tell."""
    async with internal_world(folder) as world:
        await world.bury("evt_1")
        world.metrics.answered("shop", "new", 0.01)
        await world.watch.look()
        document = (await world.ask("GET", "/v1/status"))[1]
    return {**document, "spool": {"address": "sqlite:///spool.db", "events": 1}}


async def test_a_status_of_another_form_is_one_clear_line(tmp_path: Path, capsys: Output) -> None:
    told = await needed(tmp_path, capsys, await status(tmp_path), "status")
    assert told > {"replica", "store.durability", "spool.events", "inbox.limit", "accounts"}
    assert told > {"accounts[0].answered.new", "targets[0].oldest_due_s", "config.notices"}
    assert told.isdisjoint({"now", "accounts[0].appid", "config.routes"})


async def test_a_document_of_another_version_is_shown_all_the_same_but_no_other_services(
    tmp_path: Path, capsys: Output
) -> None:
    told = await needed(tmp_path, capsys, await status(tmp_path), "status", "--json")
    assert told == {"targets", "targets[0]", "targets[1]"}


@pytest.mark.parametrize("form", [(), ("--json",)])
async def test_a_page_of_another_form_is_one_clear_line(
    tmp_path: Path, capsys: Output, form: tuple[str, ...]
) -> None:
    page = {"dead_letters": [LETTER], "next": "evt_1.trading"}
    told = await needed(tmp_path, capsys, page, "dead-letters", "list", *form)
    assert told >= {f"dead_letters[0].{name}" for name in NEEDED_OF_A_LETTER}
    assert told >= {"dead_letters", "next", "dead_letters[0].attempts[0].outcome"}


async def test_a_dead_letter_of_another_form_is_one_clear_line(
    tmp_path: Path, capsys: Output
) -> None:
    said = {**LETTER, "event": {"subject": "oSomebody"}}
    told = await needed(tmp_path, capsys, said, "dead-letters", "show", "evt_1.trading")
    assert told >= NEEDED_OF_A_LETTER
    assert told.isdisjoint({"event", "event.subject"})


@pytest.mark.parametrize(("change", "count"), [("redrive", "redriven"), ("drop", "dropped")])
async def test_a_change_told_in_another_form_is_one_clear_line(
    tmp_path: Path, capsys: Output, change: str, count: str
) -> None:
    said = {count: 3, "more": False}
    assert await needed(tmp_path, capsys, said, "dead-letters", change, "--all") == said.keys()


async def test_whether_a_target_was_enabled_has_to_be_told(tmp_path: Path, capsys: Output) -> None:
    said = {"target": "trading", "enabled": True, "was_disabled": True}
    assert await needed(tmp_path, capsys, said, "targets", "enable", "trading") == {"was_disabled"}


async def test_a_path_that_is_not_known_there_is_one_clear_line(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHONGKONG_ADMIN_KEY", ADMIN)
    monkeypatch.setattr("callback_gateway.letters_view.REDRIVE_PATH", "/v2/redrive")
    async with internal_world(tmp_path):
        assert await asyncio.to_thread(main, ["dead-letters", "redrive", "--all"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "knows no POST /v2/redrive: this is no callback gateway, or one of another" in line
