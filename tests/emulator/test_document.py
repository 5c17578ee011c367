"""docs/emulator.md says what there is."""

from __future__ import annotations

import asyncio
import re
from dataclasses import fields
from pathlib import Path

import orjson
import pytest
from pytest_aiohttp.plugin import AiohttpClient

from tests.emulator.callbacks.receivers import Receiver
from tests.emulator.clocks import HeldClock
from tests.fixtures.tools import require_tool
from zhongkong.emulator.callbacks.attacks import ATTACKS
from zhongkong.emulator.callbacks.bodies import BulkWish, PushList
from zhongkong.emulator.callbacks.configuration import CallbackSettings
from zhongkong.emulator.callbacks.course import PushCourse
from zhongkong.emulator.callbacks.messages import PushWish
from zhongkong.emulator.callbacks.office import PostOffice
from zhongkong.emulator.callbacks.records import AnswerKind
from zhongkong.emulator.control import Control
from zhongkong.emulator.endpoints import SERVED
from zhongkong.emulator.faults import Fault
from zhongkong.emulator.parameters import Parameters
from zhongkong.emulator.server import make_app
from zhongkong.emulator.settings import read_setup
from zhongkong.emulator.world import Setup, World
from zhongkong.runtime.clock import SystemClock

DOCUMENT = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")
TOLD = set(re.findall(r"`([^`\n]+)`", DOCUMENT))


def test_every_control_call_is_described() -> None:
    world = World(Setup(), HeldClock(), seed=1)
    calls = Control(world, PostOffice(world), from_anywhere=False)._calls
    assert {f"{method} /_emulator{path}" for method, path in calls} <= TOLD


def test_every_path_parameter_and_fault_field_is_described() -> None:
    kinds = (Parameters, Fault, PushCourse, CallbackSettings, PushWish)
    names = [each.name for kind in kinds for each in fields(kind)]
    assert {*SERVED, *names} <= TOLD


def test_every_attack_answer_and_field_of_a_bulk_is_described() -> None:
    assert {*ATTACKS, *map(str, AnswerKind), *BulkWish.model_fields, *PushList.model_fields} <= TOLD


def test_the_configuration_that_is_shown_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "shown.yaml"
    path.write_text(block("yaml"), encoding="utf-8")
    assert read_setup(path, {}).parameters.overlap_s == 0


def test_the_python_that_is_shown_runs() -> None:
    exec(compile(block("python"), "docs/emulator.md", "exec"), {})


async def test_the_commands_that_are_shown_push_what_they_say(
    aiohttp_client: AiohttpClient,
) -> None:
    require_tool("curl")
    receiver, world = Receiver(), World(Setup(), SystemClock(), seed=1)
    taker, wechat = await aiohttp_client(receiver.app()), await aiohttp_client(make_app(world))
    script = "\n".join(blocks("sh"))
    for shown, ours in (
        ("http://127.0.0.1:8082/callback/shop", str(taker.make_url("/callback"))),
        ("http://127.0.0.1:8080", str(wechat.make_url("")).rstrip("/")),
        ('"count": 10000', '"count": 100'),
    ):
        assert shown in script
        script = script.replace(shown, ours)
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-eu", "-c", script.replace("curl ", "curl -sS ")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    answers = [orjson.loads(line) for line in out.splitlines()]
    assert (process.returncode, err) == (0, b"")
    assert [each for each in answers if "detail" in each] == []
    assert len(answers) == script.count("curl ")
    assert len(receiver.posts) > 100


def block(language: str) -> str:
    return blocks(language)[0]


def blocks(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    if not found:
        pytest.fail(f"docs/emulator.md shows no {language}")
    return [str(each) for each in found]
