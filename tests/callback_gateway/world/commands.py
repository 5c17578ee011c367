"""The command line of the gateway: as it is installed, and within the process of the tests.

A process costs half a second of processor time, which is nearly all of what a command costs.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from callback_gateway.cli import main

PROGRAM = Path(sys.executable).with_name("callback-gateway")
_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Finished:
    """A command that came to its end; standard output and error apart."""

    code: int
    output: str
    errors: str


def run_installed(words: Sequence[str], environ: Mapping[str, str], stdin: str) -> Finished:
    """Blocks. `environ` goes over the environment of now."""
    done = subprocess.run(
        [str(PROGRAM), *words],
        input=stdin.encode(),
        capture_output=True,
        env={**os.environ, **environ},
        timeout=_TIMEOUT_S,
        check=False,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


def run_here(words: Sequence[str], environ: Mapping[str, str], stdin: str) -> Finished:
    """As `run_installed`; one at a time, for a process has one environment and one output."""
    output, errors, given = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(3))
    given.buffer.write(stdin.encode())
    given.buffer.seek(0)
    with (
        mock.patch.dict(os.environ, environ),
        mock.patch.object(sys, "stdin", given),
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        code = main(words)
    said = []
    for stream in (output, errors):
        stream.seek(0)
        said.append(stream.read())
    return Finished(code, *said)
