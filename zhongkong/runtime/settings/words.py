"""Texts with a form that several services have in their settings: names, hosts, store addresses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from zhongkong.runtime.names import is_name
from zhongkong.runtime.settings.errors import bad_secret, bad_value
from zhongkong.runtime.storage import StoreUrlError, parse_store_url

_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}\Z")


def _name(text: str) -> str:
    if not is_name(text):
        raise bad_value(
            "is not a name: letters, digits and . _ - (64 at most), a letter or digit first"
        )
    return text


def _host(text: str) -> str:
    if not _HOST.match(text):
        raise bad_value("is not a host name: write it as it stands in a URL, without port")
    return text.lower()


def _store(text: str) -> str:
    try:
        parse_store_url(text, Path())
    except StoreUrlError as error:
        raise bad_secret(str(error)) from None
    return text


Name = Annotated[str, AfterValidator(_name)]
HostName = Annotated[str, AfterValidator(_host)]
"""As it stands in a Host header, without port; lower-cased."""
StoreUrl = Annotated[str, AfterValidator(_store)]
"""A `store:` address; `parse_store_url` reads it."""
