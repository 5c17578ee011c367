"""Carries out a Dockerfile's instructions on folders of this machine, without a container engine.

Each stage becomes a root folder of its own, made from image_base. What RUN says is run in it by
chroot; nothing of it is written down a second time. Running what was built is image_jail's part.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.deploy.image_dockerfile import Instruction, Stage, expanded, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHEELS: Final = "wheels-of-this-machine"
STEP_TIMEOUT_S: Final = 240.0
_PATH: Final = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(slots=True)
class Image:
    """A root folder, and what a container that is made of it begins with."""

    root: Path
    environ: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    folder: str = "/"
    user: str = "0:0"
    labels: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    stop_signal: str = ""
    ports: tuple[int, ...] = ()


def build(text: str, context: Path, workspace: Path, *, base: Path, wheels: Path) -> Image:
    """Carry out every stage, return the last one. Raises AssertionError with a step's output.

    `base` stands in for the image that FROM names. `wheels` plays the package index: where the
    recipe asks for the secret `pip`, its steps see a pip.conf that leads there, and nowhere else.
    """
    images: dict[str, Image] = {}
    last = None
    for stage in parse(text):
        last = _build_stage(stage, images, base, workspace, context, wheels)
    assert last is not None, "the recipe has no stage"
    return last


def _build_stage(
    stage: Stage,
    images: dict[str, Image],
    base: Path,
    workspace: Path,
    context: Path,
    wheels: Path,
) -> Image:
    image = Image(workspace / f"stage-{stage.name}")
    shutil.copytree(base, image.root, symlinks=True, copy_function=os.link)
    for instruction in stage.instructions:
        if instruction.name == "RUN":
            _run(image, instruction, wheels)
        elif instruction.name == "COPY":
            _copy(image, instruction, images, context)
        else:
            _note(image, instruction)
    images[stage.name] = image
    return image


def _run(image: Image, instruction: Instruction, wheels: Path) -> None:
    script = f"cd {shlex.quote(image.folder)} || exit; {instruction.text}"
    with _secret_shown(image, instruction, wheels):
        done = subprocess.run(
            ["chroot", str(image.root), "/bin/sh", "-c", script],
            check=False,
            env=image.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=STEP_TIMEOUT_S,
        )
    assert done.returncode == 0, f"line {instruction.line}: {done.stdout}{done.stderr}"


@contextmanager
def _secret_shown(image: Image, instruction: Instruction, wheels: Path) -> Iterator[None]:
    """While a step runs that asks for it: a pip.conf, and the wheels that it leads to."""
    assert not set(instruction.options) - {"mount"}, instruction
    if "mount" not in instruction.options:
        yield
        return
    options = dict(word.split("=", 1) for word in instruction.options["mount"].split(","))
    assert (options.pop("type"), options.pop("id")) == ("secret", "pip"), instruction
    conf = image.root / options.pop("target").lstrip("/")
    assert not options, instruction
    shown = image.root / WHEELS
    shutil.copytree(wheels, shown)
    conf.write_text(f"[global]\nno-index = true\nfind-links = /{WHEELS}\n", encoding="utf-8")
    yield
    conf.unlink()
    shutil.rmtree(shown)


def _copy(image: Image, instruction: Instruction, images: dict[str, Image], context: Path) -> None:
    assert not set(instruction.options) - {"from"}, instruction
    origin = instruction.options.get("from")
    source = context if origin is None else images[origin].root
    # Nothing is changed in place later, so what is in an earlier stage need not be there twice.
    copy_of_one = shutil.copy2 if origin is None else os.link
    *names, place = instruction.text.split()
    target = image.root / os.path.join(image.folder, place).lstrip("/")  # noqa: PTH118 - keeps "/"
    for name in names:
        path = source / name.lstrip("/")
        if path.is_dir():
            shutil.copytree(
                path, target, symlinks=True, copy_function=copy_of_one, dirs_exist_ok=True
            )
        else:
            copy = target / path.name if place.endswith("/") else target
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy_of_one(path, copy)


def _note(image: Image, instruction: Instruction) -> None:
    text = expanded(instruction.text, image.environ)
    match instruction.name:
        case "ENV":
            image.environ |= _pairs(text)
        case "LABEL":
            image.labels |= _pairs(text)
        case "WORKDIR":
            image.folder = text
            (image.root / text.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "USER":
            image.user = text
        case "EXPOSE":
            image.ports = tuple(int(word) for word in text.split())
        case "STOPSIGNAL":
            image.stop_signal = text
        case "CMD":
            image.command = tuple(json.loads(text))
        case "HEALTHCHECK":
            image.health = tuple(json.loads(text.removeprefix("CMD")))
        case other:
            raise AssertionError(f"line {instruction.line}: {other} is not carried out here")


def _pairs(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(text))
