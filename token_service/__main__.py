"""`python -m token_service` does what `token-service` does."""

from __future__ import annotations

import sys

from token_service.cli import main

sys.exit(main())
