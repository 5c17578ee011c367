"""`python -m zhongkong` does what the `zhongkong` command does."""

from __future__ import annotations

from zhongkong.cli import main

main()
