"""How commands end."""

from __future__ import annotations

import gc

import pytest
import typer

from zhongkong.runtime.asking import NotReached
from zhongkong.runtime.commandline import asking, run_app
from zhongkong.runtime.settings import ConfigError, Problem

app = typer.Typer(rich_markup_mode=None)


@app.command()
def returns(code: int) -> int:
    return code


@app.command()
def leaves(code: int) -> None:
    raise typer.Exit(code)


@app.command()
def gives_up() -> None:
    raise typer.Abort


@app.command()
def tells_whether_garbage_is_collected() -> int:
    return int(gc.isenabled())


@app.command()
def complains() -> None:
    raise typer.BadParameter("the moon is full")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("returns 0", 0),
        ("returns 2", 2),
        ("leaves 3", 3),
        ("gives-up", 1),
        ("complains", 64),
        ("returns", 64),
        ("returns x", 64),
        ("returns 1 --loud", 64),
        ("unknown", 64),
        ("--help", 0),
    ],
)
def test_a_command_line_ends_with_its_own_code_and_misuse_with_64(line: str, code: int) -> None:
    assert run_app(app, line.split(), name="sample") == code


def test_misuse_is_explained_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    run_app(app, ["complains"], name="sample")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "the moon is full" in shown.err
    assert "Traceback" not in shown.err


def test_a_service_may_take_its_arguments_from_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["sample", "returns", "5"])
    assert run_app(app, name="sample") == 5


def test_a_command_looks_for_no_garbage_and_leaves_that_as_it_was() -> None:
    assert gc.isenabled()
    assert run_app(app, ["tells-whether-garbage-is-collected"], name="sample") == 0
    assert gc.isenabled()


BAD_ADDRESS = Problem("sample.yaml:3", "listen", "is no address")


@pytest.mark.parametrize("trouble", [NotReached("nobody is there"), ConfigError([BAD_ADDRESS])])
def test_what_comes_between_a_command_and_the_service_is_one_line_and_exit_code_1(
    trouble: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    asks = typer.Typer()

    @asks.command()
    def ask() -> None:
        with asking():
            raise trouble

    assert run_app(asks, [], name="sample") == 1
    assert capsys.readouterr() == ("", f"{trouble}\n")


def test_what_a_command_says_itself_may_end_it_too_and_a_defect_may_not() -> None:
    def end(*others: type[Exception]) -> None:
        with asking(*others):
            raise FileExistsError

    with pytest.raises(typer.Exit) as ended:
        end(OSError)
    assert ended.value.exit_code == 1
    with pytest.raises(FileExistsError):
        end()
