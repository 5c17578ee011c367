"""What is in force at this moment: accounts, routes and targets, replaced together at a reload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from callback_gateway.accounts import Account
    from callback_gateway.routes import Routes
    from callback_gateway.targets import Target


@dataclass(slots=True)
class Rules:
    """Readers take what they need at each use and keep nothing."""

    accounts: Mapping[str, Account]
    routes: Routes
    targets: Mapping[str, Target]

    def replace(self, fresh: Rules) -> None:
        """Put others in force."""
        self.accounts, self.routes, self.targets = fresh.accounts, fresh.routes, fresh.targets
