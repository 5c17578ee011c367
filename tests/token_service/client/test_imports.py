"""What importing the client loads."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("redis", "pydantic", "uvloop", "prometheus_client", "structlog", "yaml", "cryptography")


def test_the_client_loads_nothing_but_what_it_needs() -> None:
    code = (
        "import sys; from token_service.client import TokenClient; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
