"""Becomes the Node process of co_wechat.js: the same pid, the same core, the same pipes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from scripts.bootstrap import has_node_packages
from tests.bench.gateway_messages import AES_KEY, APPID, TOKEN

_SCRIPT = Path(__file__).with_name("co_wechat.js")


def is_here() -> bool:
    """Tell whether Node and the npm packages are installed."""
    return shutil.which("node") is not None and has_node_packages()


if __name__ == "__main__":
    # It warns of its age with every start otherwise; production is how koa is run.
    environ = {**os.environ, "NODE_ENV": "production", "NODE_NO_WARNINGS": "1"}
    os.execvpe("node", ["node", str(_SCRIPT), TOKEN, APPID, AES_KEY], environ)
