"""What the rotation is told of one account: its slot, its policy, and where its secret is."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from token_service.policy import Policy
    from token_service.slot import Slot

_CREDENTIAL_LABEL = b"zhongkong credential"


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """One token to keep alive. `secret` gives the AppSecret as last read."""

    name: str
    slot: Slot
    policy: Policy
    secret: Callable[[], str] = field(repr=False)

    def credential(self) -> str:
        """A fingerprint that tells one secret from the next, too short to reveal it."""
        message = self.slot.appid.encode() + b"\0" + self.secret().encode()
        return hmac.new(_CREDENTIAL_LABEL, message, hashlib.sha256).hexdigest()[:8]
