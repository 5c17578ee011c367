"""Pictures come from Chromium, within a time, and without one the error says what to install."""

from __future__ import annotations

import asyncio
import os
import struct
from pathlib import Path

import pytest

from menu_worker.menu import Button, Menu
from menu_worker.png import WIDTH, NoPicture, render_png
from menu_worker.preview import render
from tests.fixtures.tools import require_tool

HTML = render(Menu((Button("买入", "click", (("key", "K"),)),)), None, ())


def browser_that(folder: Path, does: str) -> Path:
    """A program called chromium; the shell that starts it is found beside it."""
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)
    return path


async def test_without_chromium_the_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoPicture, match="install the package chromium"):
        await render_png(HTML, tmp_path / "menu.png")


@pytest.mark.parametrize("does", ["exit 1", 'printf "{}" >&4'])
async def test_a_browser_that_ends_early_is_an_error_and_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    browser_that(tmp_path, does)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(NoPicture, match="ended without a picture"):
        await render_png(HTML, tmp_path / "menu.png")
    assert not (tmp_path / "menu.png").exists()


async def test_a_browser_that_hangs_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser_that(tmp_path, "sleep 1000")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(NoPicture, match=r"did not draw the page within 0\.1 s"):
        await render_png(HTML, tmp_path / "menu.png", timeout_s=0.1)


async def test_a_cancelled_drawing_leaves_no_process_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    browser_that(tmp_path, f'sleep 1000 & echo "$$ $!" > {started}; wait')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    drawing = asyncio.create_task(render_png(HTML, tmp_path / "menu.png"))
    pids = await asyncio.to_thread(started.read_text)
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    assert not any(is_running(int(pid)) for pid in pids.split())


def is_running(pid: int) -> bool:
    """A killed process whose parent hasn't asked yet doesn't count."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.slow
async def test_chromium_draws_the_whole_page(tmp_path: Path) -> None:
    require_tool("chromium")
    out = tmp_path / "menu.png"
    await render_png(HTML, out)
    data = out.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    assert width == WIDTH
    assert height > 700
