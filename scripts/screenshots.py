"""Take the pictures of the READMEs anew: starts a local world, uses it, writes docs/images/*.png.

    .venv/bin/python scripts/screenshots.py

It needs Chromium and takes half a minute. What is seen on them is in tests/browser/pictures.py.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "images"
BYTES_AT_MOST = 250 * 1024


def main() -> int:
    # Started by its path, it finds its own folder alone.
    sys.path.insert(0, str(ROOT))
    from scripts.bootstrap import TOOLS, install_command  # noqa: PLC0415
    from tests.browser.pictures import take_all  # noqa: PLC0415

    program = shutil.which("chromium")
    if program is None:
        print(f"chromium is not installed: run `{install_command([TOOLS['chromium']])}`")
        return 1
    sizes = take_all(FOLDER, program)
    for name, size in sizes.items():
        print(f"{size / 1024:5.0f} KiB  {name}{'  too large' if size > BYTES_AT_MOST else ''}")
    return int(max(sizes.values()) > BYTES_AT_MOST)


if __name__ == "__main__":
    sys.exit(main())
