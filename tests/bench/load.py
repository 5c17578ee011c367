"""Load on one HTTP address: wrk where it is installed, else a generator of our own.

`python -m tests.bench.load HOST PORT PATH KEY SECONDS CONNECTIONS` is that generator; it prints one
line of JSON. Loopback only.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_SPARE_S = 15.0


@dataclass(frozen=True, slots=True)
class Target:
    port: int
    path: str
    key: str
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Round:
    """What one round reached."""

    requests: int
    requests_per_s: float
    p50_ms: float
    p99_ms: float


def measure(target: Target, *, seconds: float, connections: int, core: int | None) -> Round:
    """One round against one server; the generator is pinned to `core`. Raises on any bad answer."""
    pin = ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") else []
    if shutil.which("wrk"):
        return _with_wrk(target, seconds, connections, pin)
    arguments = [target.host, target.port, target.path, target.key, seconds, connections]
    command = [*pin, sys.executable, "-m", "tests.bench.load", *map(str, arguments)]
    return Round(**json.loads(_output_of(command, seconds)))


def generator() -> str:
    return "wrk" if shutil.which("wrk") else "tests.bench.load"


def _with_wrk(target: Target, seconds: float, connections: int, pin: list[str]) -> Round:
    url = f"http://{target.host}:{target.port}{target.path}"
    options = ["-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency"]
    header = ["-H", f"Authorization: Bearer {target.key}"]
    text = _output_of([*pin, "wrk", *options, *header, url], seconds)
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"bad answers under load:\n{text}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    count = re.search(r"(\d+) requests in", text)
    if rate is None or count is None:
        raise RuntimeError(f"wrk said something else:\n{text}")
    return Round(int(count[1]), float(rate[1]), _percentile(text, "50"), _percentile(text, "99"))


def _percentile(text: str, percent: str) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", text, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"wrk printed no {percent}th percentile:\n{text}")
    return float(found[1]) * _UNITS_MS[found[2]]


def _output_of(command: list[str], seconds: float) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds + _SPARE_S, check=True
    )
    return done.stdout


async def _generate(target: Target, seconds: float, connections: int) -> Round:
    request = (
        f"GET {target.path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\n"
        f"Authorization: Bearer {target.key}\r\n\r\n"
    ).encode()
    took: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(_connection(target, request, until, took) for _ in range(connections)))
    took.sort()
    return Round(
        len(took),
        len(took) / seconds,
        took[len(took) // 2] * 1000,
        took[int(len(took) * 0.99)] * 1000,
    )


async def _connection(target: Target, request: bytes, until: float, took: list[float]) -> None:
    reader, writer = await asyncio.open_connection(target.host, target.port)
    while (began := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if not head.startswith(b"HTTP/1.1 200 ") or length is None:
            raise RuntimeError(f"bad answer: {head[:80]!r}")
        await reader.readexactly(int(length[1]))
        took.append(time.perf_counter() - began)
    writer.close()


if __name__ == "__main__":
    import uvloop

    host, port, path, key, seconds, connections = sys.argv[1:]
    work = _generate(Target(int(port), path, key, host), float(seconds), int(connections))
    print(json.dumps(asdict(uvloop.run(work))))
