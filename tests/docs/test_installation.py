"""The READMEs' installation on a server works as it stands, in a copy of what a checkout holds."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import subprocess
import venv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from tests.deploy.image_base import package_of_pip
from tests.deploy.image_wheels import wheels_of_the_locks
from tests.deploy.image_world import wait_until_well
from tests.docs.blocks import READMES, ROOT, RUNNABLE, Block, blocks
from tests.fixtures.processes import Child
from tests.fixtures.redis import HOST, free_port
from tests.repository.test_tracked_files import repository_files
from zhongkong.emulator.account import EmulatedAccount
from zhongkong.emulator.server import make_app
from zhongkong.emulator.world import Setup, World
from zhongkong.runtime.clock import SystemClock

pytestmark = pytest.mark.slow

APPID = "wx0123456789abcdef"
SECRET = "0123456789abcdef0123456789abcdef"
CONFIG = "token_service.yaml"
INSTALL_S = 120.0
START_S = 60.0
END_S = 30.0


@pytest.fixture
async def wechat() -> AsyncIterator[str]:
    """The address of an emulator that knows the account of the configuration."""
    world = World(
        Setup(accounts=(EmulatedAccount(appid=APPID, secret=SECRET),)), SystemClock(), seed=1
    )
    async with TestServer(make_app(world)) as server:
        yield f"http://{HOST}:{server.port}"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The repository's files, and beside them the configuration that the README shows."""
    folder = tmp_path / "checkout"
    for path in repository_files():
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    [shown] = [each for each in blocks(READMES[0]) if each.text.startswith(f"# {CONFIG}\n")]
    (folder / CONFIG).write_text(shown.text, encoding="utf-8")
    return folder


@pytest.fixture
def environ(tmp_path: Path, pytestconfig: pytest.Config) -> dict[str, str]:
    """The variables in an environment of its own, where pip asks no index."""
    folder = tmp_path / "environment"
    venv.create(folder, symlinks=True)
    _bring_pip(folder)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))
    }
    return kept | {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_COMPILE": "0",  # of what is started, Python itself compiles as much as it needs
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_FIND_LINKS": str(wheels_of_the_locks(pytestconfig)),
        "PIP_NO_INDEX": "1",
        "VIRTUAL_ENV": str(folder),
    }


def _bring_pip(folder: Path) -> None:
    """This machine's pip, in place of the one that `python3 -m venv` takes seconds to unpack."""
    [packages] = folder.glob("lib/python3*/site-packages")
    shutil.copytree(package_of_pip(), packages / "pip")
    program = folder / "bin" / "pip"
    program.write_text('#!/bin/sh\nexec "$VIRTUAL_ENV/bin/python" -m pip "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def installations(page: Path) -> list[Block]:
    """The blocks of commands that test_readme.py doesn't run."""
    found = (block for block in blocks(page) if block.info.partition(" ")[0] == "sh")
    return [block for block in found if block.info != RUNNABLE]


def install(lines: list[str], folder: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", "\n".join(lines)],
        cwd=folder,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def run_until_it_is_ready(line: str, folder: Path, environ: dict[str, str]) -> int:
    """Start the service, end it once it has a token and says that it is ready; its exit code."""
    internal = f"{HOST}:{free_port()}"
    here = {"LISTEN": f"{HOST}:{free_port()}", "INTERNAL_LISTEN": internal}
    settings = {f"TOKEN_SERVICE__{name}": value for name, value in here.items()}
    service = Child(shlex.split(line), cwd=folder, environ=environ | settings)
    try:
        service.wait_for_line('"event":"token_refreshed"', timeout_s=START_S)
        wait_until_well(f"http://{internal}/readyz", service)
        service.send(signal.SIGTERM)
        return service.wait(END_S)
    finally:
        service.kill()


async def test_a_server_is_installed_and_started_by_the_lines_of_the_readme(
    checkout: Path, environ: dict[str, str], wechat: str
) -> None:
    [block] = installations(READMES[0])
    *installing, starting = block.text.splitlines()
    assert [line.partition(" ")[0] for line in installing] == ["pip", "pip"]

    await asyncio.to_thread(install, installing, checkout, environ)

    program = shutil.which(starting.partition(" ")[0], path=environ["PATH"])
    assert program == f"{environ['VIRTUAL_ENV']}/bin/token-service"
    account = {"SHOP_SECRET": SECRET, "TOKEN_SERVICE__WECHAT__BASE_URLS__0": wechat}
    code = await asyncio.to_thread(run_until_it_is_ready, starting, checkout, environ | account)
    assert code == 0
    assert (checkout / "var" / "token_service.db").is_file()
