"""`python -m menu_worker` does what `menu-worker` does."""

from __future__ import annotations

import sys

from menu_worker.cli import main

sys.exit(main())
