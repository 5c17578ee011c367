"""Every configuration that our documents show is one that its service takes.

A block begins with the name of its file; one that begins with `# part of` it lacks what is needed
and not shown, which is added here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from callback_gateway.settings import GatewaySettings
from menu_worker.desired import load_file
from menu_worker.settings import MenuWorkerSettings
from tests.docs.blocks import PAGES, Block, blocks
from token_service.settings import TokenServiceSettings
from zhongkong.emulator.settings import read_setup
from zhongkong.runtime.settings import load

SHOWN = [block for page in PAGES for block in blocks(page) if block.info == "yaml"]
TITLE = re.compile(r"# (?P<part>part of )?(?P<file>[\w/]+\.yaml)\n")
SECRET = re.compile(r"\{(?:env|file): ([\w./]+)\}")

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SIGNING_SECRET = "whsec_" + "A" * 43 + "="
MENU = "menus/shop.yaml"
NOT_SHOWN: dict[str, dict[str, Any]] = {
    "token_service.yaml": {
        "accounts": [{"name": "shop", "appid": "wx0123456789abcdef", "secret": {"env": "secret"}}]
    },
    "callback_gateway.yaml": {
        "accounts": [
            {
                "name": "shop",
                "appid": "wx0123456789abcdef",
                "tokens": [{"env": "token"}],
                "aes_keys": [{"env": "aes_key"}],
            }
        ],
        "targets": {
            name: {"url": f"http://{name}.internal/wechat", "secret": {"env": name}}
            for name in ("trading", "audit")
        },
    },
}


def file_of(block: Block) -> str:
    if block.page.name == "emulator.md":
        return "emulator.yaml"
    titled = TITLE.match(block.text)
    return titled["file"] if titled else "token_service.yaml"


def shown_in(file: str) -> list[Block]:
    return [block for block in SHOWN if file_of(block) == file]


def as_written(block: Block, folder: Path) -> Path:
    """The block as a file, with what it leaves out, and each secret read from the environment."""
    path = folder / Path(file_of(block)).name
    text = SECRET.sub(lambda found: f"{{env: {variable(found[1])}}}", block.text)
    titled = TITLE.match(text)
    if titled and titled["part"]:
        document = yaml.safe_load(text)
        text = yaml.safe_dump(NOT_SHOWN[titled["file"]] | document, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


def variable(name: str) -> str:
    return Path(name).name


def environment(text: str) -> dict[str, str]:
    """A value for each secret, of the kind that its name speaks of."""
    return {name: value_of(name) for name in re.findall(r"env: (\w+)", text)}


def value_of(name: str) -> str:
    word = name.lower()
    if "aes" in word:
        return AES_KEY
    if "token" in word:
        return "".join(letter for letter in word if letter.isalnum())
    return SIGNING_SECRET


@pytest.mark.parametrize("block", shown_in("emulator.yaml"), ids=str)
def test_an_emulator_of_the_documents_can_be_set_up(tmp_path: Path, block: Block) -> None:
    assert read_setup(as_written(block, tmp_path), {}).accounts


@pytest.mark.parametrize("block", shown_in("token_service.yaml"), ids=str)
def test_a_token_service_of_the_documents_has_no_setting_in_vain(
    tmp_path: Path, block: Block
) -> None:
    path = as_written(block, tmp_path)
    found = load(TokenServiceSettings, path, environment(path.read_text()), prefix="TOKEN_SERVICE")
    assert found.unbuilt == ()


@pytest.mark.parametrize("block", shown_in("callback_gateway.yaml"), ids=str)
def test_a_gateway_of_the_documents_has_no_setting_in_vain(tmp_path: Path, block: Block) -> None:
    path = as_written(block, tmp_path)
    environ = environment(path.read_text("utf-8"))
    found = load(GatewaySettings, path, environ, prefix="CALLBACK_GATEWAY")
    assert found.unbuilt == ()
    assert found.settings.routes


@pytest.mark.parametrize("block", shown_in("menu_worker.yaml"), ids=str)
def test_a_menu_worker_of_the_documents_is_good(tmp_path: Path, block: Block) -> None:
    path = as_written(block, tmp_path)
    found = load(MenuWorkerSettings, path, environment(path.read_text()), prefix="MENU_WORKER")
    assert found.unbuilt == ()


@pytest.mark.parametrize("block", shown_in(MENU), ids=str)
def test_a_menu_of_the_documents_is_one_that_wechat_takes(tmp_path: Path, block: Block) -> None:
    desired = load_file(as_written(block, tmp_path))
    assert desired.account == "shop"
    assert not desired.menu.is_empty


def test_every_configuration_is_held_to_a_service() -> None:
    services = {"token_service.yaml", "callback_gateway.yaml", "menu_worker.yaml"}
    assert {file_of(block) for block in SHOWN} <= {*services, "emulator.yaml", MENU}
