"""PURE: what one process remembers of its store, in case that is emptied or drops the oldest.

A worker that still runs puts its claim in again with the time that it had, so that the same menu
wins as before; and ids of revisions don't begin anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from menu_worker.store.base import Claim, Standing


class Remembered:
    """Of each account: the claims made here, and the highest id seen."""

    def __init__(self) -> None:
        self._claims: dict[tuple[str, str], Claim] = {}
        self._revisions: dict[str, int] = {}

    def claimed_at(self, account: str, instance: str, fingerprint: str) -> float | None:
        """When this instance took that menu up, as far as it was heard here."""
        claim = self._claims.get((account, instance))
        return claim.claimed_at if claim and claim.fingerprint == fingerprint else None

    def claimed(self, account: str, instance: str, standing: Standing) -> Standing:
        """Keep what came of a claim; returns it."""
        for claim in standing.claims:
            if claim.instance == instance:
                self._claims[account, instance] = claim
        return standing

    def last_revision(self, account: str) -> int:
        return self._revisions.get(account, 0)

    def begun(self, account: str, revision: int) -> int:
        """Keep the id of a revision; returns it."""
        self._revisions[account] = max(revision, self.last_revision(account))
        return revision
