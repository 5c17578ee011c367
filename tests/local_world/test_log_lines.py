from __future__ import annotations

import io
import re

import pytest

from zhongkong.local_world.log_lines import readable
from zhongkong.local_world.plan import parts
from zhongkong.local_world.screen import Screen

LINE = (
    b'{"timestamp":"2026-11-22T08:06:38.198Z","level":"info","service":"token_service",'
    b'"event":"token_refreshed","account":"shop","took_ms":4,"rid":null}'
)


def test_a_line_of_ours_becomes_time_event_and_fields() -> None:
    assert readable(LINE, colours=False) == "08:06:38 token_refreshed account=shop took_ms=4"


def test_what_is_no_info_names_its_level() -> None:
    line = LINE.replace(b'"info"', b'"warning"')
    assert " warning: token_refreshed " in readable(line, colours=False)


def test_values_with_spaces_are_quoted() -> None:
    line = LINE.replace(b'"shop"', b'"two words"')
    assert 'account="two words"' in readable(line, colours=False)


@pytest.mark.parametrize(
    "line", [b"plain words", b"{", b'{"no": "event"}', b"[1]", "中文".encode()]
)
def test_any_other_line_stays_as_it_is(line: bytes) -> None:
    assert readable(line, colours=True) == line.decode()


@pytest.mark.parametrize(
    "line",
    [
        b"\x1b[2J\x07 plain",
        b'{"event":"\\u001b[2J","timestamp":"\\u001b[2J","level":"\\u001b[2J"}',
        b'{"event":"x","\\u001b[2J":"\\u001b[2J"}',
        b"\xff\xfe\x1b",
    ],
)
def test_nothing_that_a_part_prints_steers_the_terminal(line: bytes) -> None:
    assert "\x1b" not in readable(line, colours=False)


def test_with_colours_an_error_stands_out() -> None:
    line = LINE.replace(b'"info"', b'"error"')
    assert "\x1b[31merror: token_refreshed\x1b[0m" in readable(line, colours=True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("environ", [{}, {"NO_COLOR": "1"}])
def test_each_part_has_a_colour_of_its_own_unless_none_is_wanted(environ: dict[str, str]) -> None:
    terminal = Terminal()
    names = [part.name for part in parts(8080, "folder")]
    screen = Screen(terminal, names, environ)
    for name in names:
        screen.show(name, b"says something")
    screen.close()

    printed = terminal.getvalue().splitlines()

    assert len(printed) == len(names)
    colours = {colour for line in printed for colour in re.findall(r"^\x1b\[(\d+)m", line)}
    assert len(colours) == (0 if environ else len(names))
    assert not colours & {"31", "33"}
