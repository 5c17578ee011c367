"""PURE: what a Dockerfile says, as stages of instructions.

It knows the instructions that ours uses; another one is an error, so that none is passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KNOWN = (
    *("ARG", "CMD", "COPY", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "STOPSIGNAL"),
    *("USER", "WORKDIR"),
)
_OPTION = re.compile(r"--([a-z-]+)=(\S+)\s+")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction. `options` are its leading --name=value words, `text` is the rest."""

    name: str
    options: dict[str, str]
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Stage:
    """What begins with FROM; `base` is expanded, `name` what COPY --from calls it."""

    name: str
    base: str
    instructions: tuple[Instruction, ...]

    def of(self, name: str) -> list[Instruction]:
        return [each for each in self.instructions if each.name == name]


def parse(text: str) -> list[Stage]:
    """The stages in order. Raises ValueError naming the line of what isn't known."""
    arguments: dict[str, str] = {}
    heads: list[tuple[str, str]] = []
    bodies: list[list[Instruction]] = []
    for instruction in _instructions(text):
        if instruction.name == "FROM":
            words = instruction.text.split()
            name = words[2] if len(words) == 3 else str(len(heads))
            heads.append((name, expanded(words[0], arguments)))
            bodies.append([])
        elif bodies:
            bodies[-1].append(instruction)
        elif instruction.name == "ARG":
            key, _, value = instruction.text.partition("=")
            arguments[key] = value
        else:
            raise ValueError(f"line {instruction.line}: {instruction.name} before FROM")
    return [
        Stage(name, base, tuple(body)) for (name, base), body in zip(heads, bodies, strict=True)
    ]


def expanded(text: str, values: dict[str, str]) -> str:
    """With $NAME and ${NAME} replaced; what has no value is empty, as in a shell."""
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], ""), text)


def _instructions(text: str) -> list[Instruction]:
    found: list[Instruction] = []
    begun: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not line.strip() and not begun):
            continue
        begun.append(line.strip().removesuffix("\\").strip())
        if not line.endswith("\\"):
            found.append(_instruction(" ".join(begun), number))
            begun = []
    if begun:
        raise ValueError("the last line is continued")
    return found


def _instruction(line: str, number: int) -> Instruction:
    name, _, rest = line.partition(" ")
    if name not in KNOWN:
        raise ValueError(f"line {number}: {name} is not an instruction that is known here")
    options = {}
    while (option := _OPTION.match(rest)) is not None:
        if option[1] in options:
            raise ValueError(f"line {number}: --{option[1]} stands there twice")
        options[option[1]] = option[2]
        rest = rest[option.end() :]
    return Instruction(name, options, rest.strip(), number)
