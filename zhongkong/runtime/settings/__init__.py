"""Settings: a YAML file, variables laid over it, secrets beside it, and reload.

Here is only the door; a service brings a class derived from `Settings` and calls `load`.
"""

from __future__ import annotations

from zhongkong.runtime.settings.addresses import HostPort
from zhongkong.runtime.settings.digests import Sha256Hex, one_key_for_both
from zhongkong.runtime.settings.document import Document, parse_document
from zhongkong.runtime.settings.errors import (
    ConfigError,
    Problem,
    SettingProblems,
    bad_secret,
    bad_value,
)
from zhongkong.runtime.settings.globs import Glob, PathGlob
from zhongkong.runtime.settings.loading import Loaded, load, resolve_path
from zhongkong.runtime.settings.model import Settings, Unbuilt
from zhongkong.runtime.settings.quantities import (
    Bounds,
    ByteSize,
    Duration,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)
from zhongkong.runtime.settings.sample import missing_from_sample
from zhongkong.runtime.settings.secret_shelf import SecretShelf
from zhongkong.runtime.settings.secrets import Secret, SecretUnreadable
from zhongkong.runtime.settings.watcher import ConfigWatcher, at_next_start
from zhongkong.runtime.settings.words import HostName, Name, StoreUrl

__all__ = [
    "Bounds",
    "ByteSize",
    "ConfigError",
    "ConfigWatcher",
    "Document",
    "Duration",
    "Glob",
    "HostName",
    "HostPort",
    "Loaded",
    "Name",
    "PathGlob",
    "Problem",
    "Secret",
    "SecretShelf",
    "SecretUnreadable",
    "SettingProblems",
    "Settings",
    "Sha256Hex",
    "StoreUrl",
    "Unbuilt",
    "at_next_start",
    "bad_secret",
    "bad_value",
    "format_duration",
    "format_size",
    "load",
    "missing_from_sample",
    "one_key_for_both",
    "parse_document",
    "parse_duration",
    "parse_size",
    "resolve_path",
]
