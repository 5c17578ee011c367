"""How often a disturbance is repeated: once in `make test`, more often in `make chaos`."""

from __future__ import annotations

import os

VARIABLE = "CHAOS_ROUNDS"
ROUNDS = int(os.environ.get(VARIABLE, "1"))
