"""What keeps the service from starting is one clear line and an exit code, never a traceback.

The many cases are forked; what must hold from the start of Python on is started by it.
"""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.chaos.deployment import Deployment
from tests.chaos.replica import run_command
from tests.fixtures.processes import Launch, spawn

APPID = "appid: wx0123456789abcdef"
ACCOUNT = f"accounts:\n  - {{name: shop, {APPID}, secret: {{file: secret}}}}\n"
CASES = [
    pytest.param("listne: 127.0.0.1:1\n", ":1: ", "listne", id="an unknown key"),
    pytest.param("grace: soon\n", ":1: ", "grace", id="a value of another kind"),
    pytest.param("rotation: {lead: 10m}\n", ":1: ", "below 5m", id="a value out of bounds"),
    pytest.param("log_level: info\n\tx", ":2:", "", id="no YAML"),
    pytest.param("store: mysql://db\n", ":1: ", "sqlite:///", id="an unknown kind of store"),
    pytest.param(f"\n{ACCOUNT}", ":3: ", "secret", id="a secret file that is missing"),
    pytest.param("accounts: [{name: a}]\n", ":1: ", "appid", id="an account without appid"),
]


@pytest.mark.parametrize(("text", "place", "word"), CASES)
async def test_a_bad_configuration_ends_the_start_with_its_place(
    tmp_path: Path, launch: Launch, text: str, place: str, word: str
) -> None:
    await refused_with_its_place(("run",), tmp_path, launch, text, place, word)


@pytest.mark.parametrize(("text", "place", "word"), CASES[:2])
async def test_a_bad_configuration_is_found_by_config_check_as_well(
    tmp_path: Path, launch: Launch, text: str, place: str, word: str
) -> None:
    await refused_with_its_place(("config", "check"), tmp_path, launch, text, place, word)


async def refused_with_its_place(
    command: tuple[str, ...], folder: Path, launch: Launch, text: str, place: str, word: str
) -> None:
    config = folder / "token_service.yaml"
    config.write_text(text)

    finished = await run_command(*command, "--config", str(config), environ={}, launch=launch)

    assert finished.code == 1
    assert f"token_service.yaml{place}" in finished.output
    assert word in finished.output
    assert "Traceback" not in finished.output


async def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    config = str(tmp_path / "nowhere.yaml")

    finished = await run_command("run", "--config", config, environ={})

    assert finished.code == 1
    assert config in finished.output
    assert "Traceback" not in finished.output


async def test_a_good_configuration_is_called_good(deployment: Deployment) -> None:
    await deployment.account("shop")

    finished = await deployment.replica("one", launch=spawn).command("config", "check")

    assert finished.code == 0
    assert "good; accounts: 1, clients: 1" in finished.output


async def test_a_busy_port_ends_the_start_with_its_number(deployment: Deployment) -> None:
    replica = deployment.replica("one", launch=spawn)
    with socket.create_server(("127.0.0.1", replica.port)):
        await replica.launch()
        code = await replica.ended()

    assert code == 1
    assert str(replica.port) in replica.log
    assert "listen" in replica.log
