"""What `menu-worker status` makes of an answer that is not what it knows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from menu_worker.cli import main
from tests.fixtures.alone import alone_in
from tests.runtime.other_answers import flaws_told, other_service

CONFIG = "menu_worker.yaml"
Output = pytest.CaptureFixture[str]

STATUS = {
    "now": "2026-01-02T03:04:05Z",
    "instance": "worker-1",
    "ready": False,
    "not_ready_because": "desired files can not be used",
    "store": {"address": "sqlite:///x.db"},
    "token_service": {"address": "http://127.0.0.1:8081"},
    "config": {"notices": ["a notice"]},
    "files": {"used": 1, "refused": {"a.yaml": ["a.yaml:1:1: no"]}, "unmatched": ["b/*.yaml"]},
    "failing_tasks": {"watch": "OSError"},
    "accounts": [
        {
            "account": "shop",
            "file": "menus/shop.yaml",
            "desired": "f" * 16,
            "result": "unavailable",
            "detail": "WeChat does not answer",
            "verified_at": "2026-01-02T03:04:00Z",
            "applied_at": None,
            "contested": False,
            "paused_by": None,
            "switched_off": False,
            "quota_left": {"/cgi-bin/menu/get": 9000},
            "next_pass_in_s": 61.5,
        }
    ],
}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone_in(tmp_path, monkeypatch)


async def needed(tmp_path: Path, capsys: Output, said: Any, *arguments: str) -> set[str]:
    async with other_service(tmp_path / CONFIG, said) as other:
        assert await asyncio.to_thread(main, arguments) == 0
        return await flaws_told(other, main, list(arguments), capsys)


async def test_a_status_of_another_form_is_one_clear_line(tmp_path: Path, capsys: Output) -> None:
    told = await needed(tmp_path, capsys, STATUS, "status")
    assert told > {"instance", "not_ready_because", "files.refused.a.yaml", "files.unmatched[0]"}
    assert told > {"accounts[0].quota_left./cgi-bin/menu/get", "accounts[0].next_pass_in_s"}
    assert told.isdisjoint({"now", "store", "token_service.address", "accounts[0].desired"})


async def test_a_document_of_another_version_is_shown_all_the_same_but_no_other_services(
    tmp_path: Path, capsys: Output
) -> None:
    assert await needed(tmp_path, capsys, STATUS, "status", "--json") == {"files"}
