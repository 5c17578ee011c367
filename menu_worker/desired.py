"""Desired menus: files, each of one account, read and judged.

How a file's bytes become a document is in file_text, what may stand in it in validation. An account
fails alone: what is wrong with its file keeps no other account from its menu.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from menu_worker.assertions import Assertion
from menu_worker.file_text import MALFORMED, Unreadable, place_of, read_text
from menu_worker.findings import Level, Violation, shown
from menu_worker.validation import validate
from zhongkong.runtime.names import is_name
from zhongkong.runtime.settings.files import FileTrouble, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from menu_worker.findings import Finding
    from menu_worker.menu import Menu
    from zhongkong.runtime.settings.document import Document

__all__ = [
    "Assertion",
    "Desired",
    "DesiredRefused",
    "KeyPlace",
    "LoadedMenus",
    "load_all",
    "load_file",
]

MAX_BYTES: Final = 1024 * 1024
FILES_AT_MOST: Final = 100_000


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """The key of a button that pushes events, and where it stands."""

    type: str
    key: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Desired:
    """One account's desired menu. An empty one deletes the live menu; guards decide on that."""

    account: str
    menu: Menu
    assertions: tuple[Assertion, ...] = ()
    file: Path = Path()
    digest: str = ""
    """SHA-256 of the file's bytes, in hex."""
    warnings: tuple[Violation, ...] = ()
    keys: tuple[KeyPlace, ...] = field(default=(), repr=False)


class DesiredRefused(Exception):
    """A file that can't be used, with every violation in order of place; warnings are among them.

    `account` is the one that the file names, where it could be read so far.
    """

    def __init__(self, violations: Iterable[Violation], account: str | None = None) -> None:
        self.violations = tuple(violations)
        self.account = account
        super().__init__("\n".join(map(str, self.violations)))


@dataclass(frozen=True, slots=True)
class LoadedMenus:
    """What all files say. No account is in both `desired` and `unusable`."""

    desired: Mapping[str, Desired]
    refused: Mapping[Path, tuple[Violation, ...]]
    unusable: Mapping[str, tuple[Path, ...]]
    """Accounts whose files were refused, as far as the files name them."""
    unmatched: tuple[str, ...]
    """Patterns that no file matches, as absolute paths."""


def load_file(path: Path, default_account: str | None = None) -> Desired:
    """Read one file. Blocking; may be repeated. Raises DesiredRefused.

    `default_account` stands in where the file names none.
    """
    try:
        content = read_file(path, MAX_BYTES)
        document = read_text(content.data, str(path), is_json=path.suffix.lower() == ".json")
    except FileTrouble as trouble:
        raise DesiredRefused([Violation(path, 1, 1, f"the file {trouble}")]) from None
    except Unreadable as error:
        refusal = Violation(path, error.line, error.column, str(error), error.code)
        raise DesiredRefused([refusal]) from None
    return _judge(path, document, hashlib.sha256(content.data).hexdigest(), default_account)


def load_all(patterns: Iterable[str], base: Path) -> LoadedMenus:
    """Read every file that a glob matches; relative ones count from `base`. Blocking."""
    found: dict[Path, Desired | DesiredRefused] = {}
    unmatched: list[str] = []
    for pattern in patterns:
        paths = _matching(pattern, base)
        if not paths:
            unmatched.append(str(base / pattern))
        for path in paths:
            if path not in found:
                found[path] = _load(path)
    return _by_account(found, unmatched)


def _load(path: Path) -> Desired | DesiredRefused:
    try:
        return load_file(path)
    except DesiredRefused as refused:
        return refused


def _matching(pattern: str, base: Path) -> list[Path]:
    # Path.glob would follow the hidden folders in which Kubernetes keeps a volume's versions.
    names = sorted(glob(pattern, root_dir=base, recursive=True))  # noqa: PTH207
    return [path for path in (base / name for name in names) if not path.is_dir()][:FILES_AT_MOST]


def _by_account(
    found: Mapping[Path, Desired | DesiredRefused], unmatched: Iterable[str]
) -> LoadedMenus:
    refused = {
        path: each.violations for path, each in found.items() if isinstance(each, DesiredRefused)
    }
    files: dict[str, list[Path]] = {}
    for path, each in found.items():
        if each.account is not None:
            files.setdefault(each.account, []).append(path)
    for account, paths in files.items():
        if len(paths) > 1:
            for path in paths:
                others = ", ".join(str(other) for other in paths if other != path)
                what = f"the account {account} has another file too: {others}; keep one"
                refused[path] = (*refused.get(path, ()), Violation(path, 1, 1, what))
    desired = {
        each.account: each
        for path, each in found.items()
        if isinstance(each, Desired) and path not in refused
    }
    unusable = {account: tuple(paths) for account, paths in files.items() if account not in desired}
    return LoadedMenus(desired, refused, unusable, tuple(unmatched))


def _judge(path: Path, document: Document, digest: str, default_account: str | None) -> Desired:
    def violation(finding: Finding) -> Violation:
        line, column = document.place(finding.path)
        return Violation(path, line, column, finding.message, finding.code, finding.level)

    judged = validate(document.plain())
    account, wrong = _account(path, document, default_account)
    violations = [*map(violation, judged.findings), *wrong, *_problems(path, document)]
    violations.sort(key=lambda each: (each.line, each.column))
    if account is None or any(each.level is Level.ERROR for each in violations):
        raise DesiredRefused(violations, account)
    keys = tuple(KeyPlace(use.type, use.key, *document.place(use.path)) for use in judged.keys)
    return Desired(account, judged.menu, judged.assertions, path, digest, tuple(violations), keys)


def _problems(path: Path, document: Document) -> Iterable[Violation]:
    """What the text itself has against it: keys given twice, tags, ambiguous numbers."""
    for problem in document.problems:
        line, column = place_of(problem)
        name = f"`{shown(problem.key)[1:-1]}` " if problem.key else ""
        yield Violation(path, line, column, f"{name}{problem.what}", MALFORMED)


def _account(
    path: Path, document: Document, default: str | None
) -> tuple[str | None, list[Violation]]:
    node = document.node_at(("account",))
    if node is None:
        if default is not None or document.plain() is None:
            return default, []
        what = "`account` is missing: say whose menu this is, by its name in the token service"
        return None, [Violation(path, 1, 1, what)]
    line, column = document.place(("account",))
    value: Any = document.plain()["account"]
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not is_name(text):
        what = f"`account` is a name (letters, digits and . _ -), not {shown(value)}"
        return None, [Violation(path, line, column, what)]
    if text is not value:
        what = f'`account` is a number, taken as "{text}"; put it in quotes'
        return text, [Violation(path, line, column, what, level=Level.WARNING)]
    return text, []
