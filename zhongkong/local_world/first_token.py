"""Whether the real WeChat gives the account a token: asked of the token service, as a client does.

The token itself is nothing to the world; of a refusal, what the service says to its clients is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zhongkong.local_world import names, plan
from zhongkong.local_world.probe import get

if TYPE_CHECKING:
    from pathlib import Path

_WAIT_S: Final = 5
"""So long the service waits for WeChat's answer; a refusal is told at once."""
_BEYOND_S: Final = 1.0


async def token_trouble(base: int, folder: Path) -> str | None:
    """Why there is no token; None when there is one. Takes six seconds at most."""
    path = folder / names.ORDERS_KEY
    try:
        key = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return f"it can't be asked without the key in {path}"
    answer = await get(
        f"{plan.token_url(base)}?wait={_WAIT_S}",
        {"Authorization": f"Bearer {key}"},
        within_s=_WAIT_S + _BEYOND_S,
    )
    if answer is None:
        return "the token service doesn't answer"
    status, document = answer
    return None if status == 200 else str(document.get("detail", f"it answers {status}"))
