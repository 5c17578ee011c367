"""A service of another version, or another program in its place: it says what it is told to say."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.runtime.settings.errors import key_text

Output = pytest.CaptureFixture[str]
_OTHER_KIND: dict[type, Any] = {dict: "text", list: 5, str: 5, int: "5", float: "5", bool: "no"}


@dataclass
class Other:
    """Gives one answer to every question."""

    said: Any = None
    asked: int = 0

    async def answer(self, _request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response(self.said)


@asynccontextmanager
async def other_service(config: Path, said: Any = None) -> AsyncIterator[Other]:
    """Listens where the configuration, which is written, says that the service does."""
    other, app = Other(said), web.Application()
    app.router.add_route("*", "/{path:.*}", other.answer)
    async with await Listeners.open([Listener(app, "127.0.0.1", 0, "internal")]) as listeners:
        config.write_text(f"internal_listen: 127.0.0.1:{listeners.port('internal')}\n")
        yield other


def altered(document: Any) -> Iterator[tuple[str, Any]]:
    """Copies without one of the members, and with another kind of thing in its place, by name."""
    for path in _members(document):
        for kind in (None, _OTHER_KIND.get(type(_at(document, path)), 5)):
            said = copy.deepcopy(document)
            inside = _at(said, path[:-1])
            if kind is not None:
                inside[path[-1]] = kind
            elif isinstance(inside, dict):
                del inside[path[-1]]
            else:
                continue
            yield key_text(path), said


async def flaws_told(
    other: Other, main: Callable[[list[str]], int], command: list[str], capsys: Output
) -> set[str]:
    """Which members of the answer the command can't do without: it ends with 1, naming one.

    Of all others it takes no notice, and it never says more than the one line.
    """
    whole, told = other.said, set()
    for name, said in altered(whole):
        other.said = said
        capsys.readouterr()
        code = await asyncio.to_thread(main, command)
        lines = capsys.readouterr().err.splitlines()
        if code == 0:
            assert lines == [], name
            continue
        (line,) = lines
        assert code == 1, name
        assert f" `{name}`: " in line
        assert "or one of another version. Use the command of its version, or start it" in line
        told.add(name)
    other.said = whole
    return told


def _members(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inside = node.items() if isinstance(node, dict) else enumerate(node)
    for name, value in inside:
        yield (*path, name)
        if isinstance(value, dict | list):
            yield from _members(value, (*path, name))


def _at(node: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        node = node[part]
    return node
