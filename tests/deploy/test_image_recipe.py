"""The image's recipe, carried out without a container engine, makes an image that works.

Its RUN and COPY lines are carried out in root folders made of this machine's Python (image_base),
from the lock, with their hashes. Then the world of deploy/compose is run from the result by user
10001 who can't write: in a mount namespace, or by permissions alone where none may be made.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.deploy.image_base import make_base
from tests.deploy.image_build import Image, build
from tests.deploy.image_context import make_context
from tests.deploy.image_jail import CONFIGS, DATA, SECRETS, Jail, Way, may_mount
from tests.deploy.image_wheels import wheels_of_the_locks
from tests.deploy.image_world import ROOT, SERVICES, ImageWorld, compose, make_jails
from tests.repository.test_tracked_files import repository_files
from zhongkong.runtime.healthcheck import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

APPID = "wx0123456789abcdef"
COMPILERS = {"c++", "c89", "c99", "cc", "clang", "cpp", "g++", "gcc", "ld", "make", "tcc"}
WRITABLE = """
import os, stat
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in {"/proc", "/dev"}]
    for name in ("", *files):
        path = os.path.join(folder, name)
        if not os.path.islink(path) and os.access(path, os.W_OK):
            print(os.path.normpath(path))
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Image]:
    """The image, built once, and some hundred megabytes of disk, given back."""
    if os.geteuid() != 0:
        pytest.skip("roots are made by root: sudo .venv/bin/python -m pytest " + __file__)
    wheels = wheels_of_the_locks(pytestconfig)
    names = ("context", "base", "stages")
    context, base, workspace = folders = [tmp_path_factory.mktemp(name) for name in names]
    make_context(ROOT, repository_files(), context)
    make_base(base)
    recipe = (ROOT / "deploy/image/Dockerfile").read_text(encoding="utf-8")
    yield build(recipe, context, workspace, base=base, wheels=wheels)
    for folder in folders:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def jails(image: Image, tmp_path_factory: pytest.TempPathFactory) -> dict[Way, Jail]:
    """The image in every way that this machine permits, the strictest last."""
    ways: list[Way] = ["permissions", "mounts"] if may_mount() else ["permissions"]
    return make_jails(image, ways, tmp_path_factory.mktemp("jails"))


@pytest.fixture(scope="module")
def world(jails: dict[Way, Jail], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageWorld]:
    """Everything, running in the strictest way."""
    *_, jail = jails.values()
    with ImageWorld(jail, tmp_path_factory.mktemp("world")) as running:
        yield running


def names_in(image: Image, folder: str) -> set[str]:
    path = image.root / folder.lstrip("/")
    return {each.name for each in path.iterdir()} if path.is_dir() else set()


# --------------------------------------------------------------------------------- what was built


def test_the_image_names_the_version_of_the_project(image: Image) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert image.labels["org.opencontainers.image.version"] == project["version"]


def test_all_commands_of_the_project_are_on_its_path(image: Image) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = set().union(*(names_in(image, each) for each in image.environ["PATH"].split(":")))

    assert set(project["scripts"]) <= found


def test_there_is_no_compiler_on_its_path(image: Image) -> None:
    found = set().union(*(names_in(image, each) for each in image.environ["PATH"].split(":")))

    assert found & COMPILERS == set()


def test_nothing_of_the_build_is_left_in_it(image: Image) -> None:
    left = [
        path
        for path in ("source", "wheels", "opt/build", "etc/pip.conf", "root/.cache", "root/.config")
        if (image.root / path).exists()
    ]

    assert left == []


def test_it_holds_compiled_code_so_that_a_start_need_write_none(image: Image) -> None:
    [package] = image.root.glob("opt/zhongkong/lib/python3*/site-packages/token_service")

    assert len(list(package.glob("__pycache__/*.pyc"))) == len(list(package.glob("*.py")))


def test_everything_in_it_but_its_data_belongs_to_root(image: Image) -> None:
    others = {
        str(path.relative_to(image.root))
        for path in image.root.rglob("*")
        if path.lstat().st_uid != 0
    }

    assert others == {DATA}


# ------------------------------------------------------------------------------------- as it runs


def test_the_services_become_ready_as_user_10001(world: ImageWorld) -> None:
    users = {Path(f"/proc/{child.pid}").stat().st_uid for child in world.children.values()}

    assert users == {10001}
    assert all(world.children[name].running for name in SERVICES)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("way", "user"),
    [("permissions", "10001:10001"), ("mounts", "10001:10001"), ("mounts", "0:0")],
)
def test_only_its_data_and_tmp_can_be_written_to(
    jails: dict[Way, Jail], way: Way, user: str
) -> None:
    if way not in jails:
        pytest.skip("this machine permits no mounts; the other way is tested")

    done = jails[way].run(["python", "-c", WRITABLE], user=user)

    tops = {line for line in done.stdout.splitlines() if not line.startswith(f"/{DATA}/")}
    assert (done.stderr, tops) == ("", {f"/{DATA}", "/tmp"})


def test_configuration_and_secrets_lie_where_the_image_says(world: ImageWorld) -> None:
    listed = f"import os; print(sorted(os.listdir('/{CONFIGS}') + os.listdir('/{SECRETS}')))"
    done = world.jail.run(["python", "-c", listed])

    for name in ("callback_gateway.yaml", "menu_worker.yaml", "token_service.yaml", "shop.secret"):
        assert name in done.stdout


@pytest.mark.parametrize("name", [*SERVICES, "emulator"])
def test_the_health_check_passes_for(world: ImageWorld, name: str) -> None:
    environ = {VARIABLE: world.health_address(name)}
    done = world.jail.run(world.jail.image.health, environ)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_health_check_fails_where_nothing_answers(world: ImageWorld) -> None:
    done = world.jail.run(world.jail.image.health, {VARIABLE: "http://127.0.0.1:9/"})

    assert done.returncode == 1
    assert "Connection refused" in done.stdout


def test_a_tap_on_the_menu_that_was_made_live_is_answered(world: ImageWorld) -> None:
    push = {"user": "oImageWorld00000000000000001", "click": "HOURS"}
    told = world.ask_emulator(f"/_emulator/accounts/{APPID}/pushes?wait_s=15", push)

    assert [each["seen"] for each in told["tries"]] == ["reply"], told


def test_sigterm_ends_each_with_code_0_within_the_time_that_compose_gives(
    world: ImageWorld,
) -> None:
    codes = {name: world.stop(name) for name in reversed(SERVICES)}

    assert codes == dict.fromkeys(SERVICES, 0)


def test_the_health_check_of_the_image_is_the_one_of_compose(image: Image) -> None:
    kinds = {
        tuple(service["healthcheck"]["test"])
        for name, service in compose()["services"].items()
        if name != "redis"
    }

    assert kinds == {("CMD", *image.health)}
