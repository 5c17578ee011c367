"""`python -m callback_gateway` does what `callback-gateway` does."""

from __future__ import annotations

import sys

from callback_gateway.cli import main

sys.exit(main())
