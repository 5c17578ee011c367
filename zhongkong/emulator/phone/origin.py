"""Whether a control call comes from a page that has no business here. Pure.

Control calls want no key, so any web page that a developer has open could make them: by a form, or
by a host name that it lets point at this machine.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def foreign(host: str, origin: str | None, *, any_name: bool) -> str | None:
    """Why the call is refused; None for a program's call and for the emulator's own page.

    `host` and `origin` are the headers; `any_name` takes whatever name the emulator is called by.
    """
    if origin is not None and _place(origin) != host.lower():
        return "control calls of other sites' pages are refused"
    if not any_name and not _names_this_machine(host):
        return (
            "call the emulator by its address or as localhost; start it with "
            "--control-from-anywhere to allow other names"
        )
    return None


def _place(origin: str) -> str | None:
    """Host and port of it; None for what is no origin."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _names_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
