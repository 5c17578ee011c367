"""`menu-worker validate`: every violation of desired files at once, without WeChat."""

from __future__ import annotations

from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from menu_worker.commands.printing import harmless
from menu_worker.commands.selection import empty_line
from menu_worker.commands.session import desired_menus
from menu_worker.files import MenuFiles
from menu_worker.findings import Level
from menu_worker.routes_check import RoutesUnreadable, read_routes, unhandled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from menu_worker.desired import LoadedMenus
    from menu_worker.findings import Violation
    from menu_worker.settings import MenuFilesSettings
    from zhongkong.runtime.settings import Loaded


def validate(
    loaded: Loaded[MenuFilesSettings] | None, files: Sequence[Path], routes: Path | None
) -> int:
    """0: all good, warnings apart; 1: not. Without files, those of the configuration. Blocking."""
    menus = _menus(loaded, files)
    allow_delete = loaded is not None and loaded.settings.allow_delete
    violations = [*_violations(menus)]
    lines = [f"{pattern}: no file is there" for pattern in menus.unmatched]
    if not allow_delete:
        lines += [empty_line(each) for each in menus.desired.values() if each.menu.is_empty]
    if routes is not None:
        try:
            known = read_routes(routes)
        except RoutesUnreadable as trouble:
            typer.echo(harmless(str(trouble)), err=True)
            return 1
        for desired in menus.desired.values():
            violations += unhandled(desired, known, str(routes))
    for line in (*map(str, violations), *lines):
        typer.echo(harmless(line))
    bad = lines or any(each.level is Level.ERROR for each in violations)
    if not bad:
        count = len(menus.desired)
        typer.echo(
            f"good; files: {count}" if count != 1 else f"good; account: {next(iter(menus.desired))}"
        )
    return 1 if bad else 0


def _menus(loaded: Loaded[MenuFilesSettings] | None, files: Sequence[Path]) -> LoadedMenus:
    if files:
        account = None if loaded is None else loaded.settings.account
        return MenuFiles(tuple(escape(str(path)) for path in files), Path(), account).load()
    if loaded is None:
        raise AssertionError("without files there is a configuration")
    return desired_menus(loaded)


def _violations(menus: LoadedMenus) -> Iterator[Violation]:
    for desired in menus.desired.values():
        yield from desired.warnings
    for violations in menus.refused.values():
        yield from violations
