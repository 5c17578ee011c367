"""Damaged requests, and request lines that nobody writes: what the parser and the router get."""

from __future__ import annotations

from collections.abc import Callable

from tests.callback_gateway.fuzz.shots import Expect, Shot, alone, canary_of
from tests.callback_gateway.fuzz.wire import HOST, SAFE_PATH, request
from tests.simulation.chance import Random


class OddLines:
    """One method a kind; what is drawn comes from `random` alone."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.stored: list[tuple[bytes, bytes]] = []
        """Genuine requests that were taken, each with its nonce: what is damaged on its way."""

    def kinds(self) -> dict[str, tuple[int, Callable[[], Shot]]]:
        """Weight and maker of each."""
        return {
            "damaged": (10, self.damaged),
            "noise": (3, self.noise),
            "odd_method": (4, self.odd_method),
            "odd_path": (6, self.odd_path),
            "odd_version": (2, self.odd_version),
            "odd_line": (3, self.odd_line),
            "other_protocol": (2, self.other_protocol),
        }

    def damaged(self) -> Shot:
        """A genuine request with a few bytes changed, lost, doubled or cut off."""
        if not self.stored:
            return self.odd_path()
        random = self._random
        raw, nonce = random.choice(self.stored)
        damaged = bytearray(raw)
        for _ in range(random.randint(1, 6)):
            at = random.randrange(len(damaged))
            what = random.randrange(5)
            if what == 0:
                damaged[at] = random.randrange(256)
            elif what == 1:
                damaged[at] ^= 1 << random.randrange(8)
            elif what == 2:
                del damaged[at : at + random.randint(1, 8)]
            elif what == 3:
                damaged[at:at] = damaged[at : at + random.randint(1, 40)]
            else:
                damaged[at:at] = random.randbytes(random.randint(1, 8))
        if random.random() < 0.1:
            del damaged[random.randrange(len(damaged)) :]
        return Shot("damaged", bytes(damaged), nonce, Expect.KNOWN, alone=True, may_be_silent=True)

    def noise(self) -> Shot:
        canary = canary_of(self._random)
        start = self._random.choice([b"", b"POST ", b"GET / HTTP/1.1\r\n", b"\r\n\r\n"])
        raw = start + self._random.randbytes(self._random.randint(1, 300)) + canary + b"\r\n\r\n"
        return alone("noise", raw, canary)

    def odd_method(self) -> Shot:
        canary = canary_of(self._random)
        known = [b"GET", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE", b"HEAD", b"PROPFIND"]
        odd = [b"post", b"P\xd6ST", b"POST\x00", b"CONNECT", canary[:20], b"M-SEARCH", b""]
        name = self._random.choice(known + odd)
        # To a HEAD that can't be understood a body may come, and to no other.
        paths = (
            [SAFE_PATH, b"/"] if name == b"HEAD" else [SAFE_PATH, b"/", b"*", b"gateway.example:80"]
        )
        target = self._random.choice(paths) + b"?" + canary
        raw = request(name, target, b"x" if name in {b"PUT", b"PATCH"} else b"")
        return Shot("odd_method", raw, canary, alone=True, bodyless=name == b"HEAD")

    def odd_path(self) -> Shot:
        canary, random = canary_of(self._random), self._random
        path = random.choice(
            [
                b"/" + canary,
                b"/callback/" + canary,
                b"/callback//safe",
                b"//callback/safe",
                b"/callback/../callback/safe/" + canary,
                b"/callback/%2e%2e/%2e%2e/etc/passwd",
                b"/callback/safe/",
                b"/callback/safe%2f..",
                b"/callback/%ff%fe",
                b"/callback/\xff\xfe",
                b"/callback/safe\\x",
                b"/callback/" + b"a" * 7000,
                b"/callback/" + b"a" * 20_000,
                b"http://gateway.example/callback/" + canary,
                b"https://[::1/callback/safe",
                b"http://%zz/callback/safe",
                b"/callback/%",
                b"/%63allback/%73afe",
                b"/readyz",
                b"/healthz",
                b"/metrics",
                b"/v1/status",
                b"/v1/dead-letters",
                b"",
                b"?",
                b"#" + canary,
            ]
        )
        target = path + b"?c=" + canary
        method = random.choice([b"POST", b"GET"])
        return Shot("odd_path", request(method, target, b""), canary, alone=True)

    def odd_version(self) -> Shot:
        canary = canary_of(self._random)
        version = self._random.choice(
            [b"HTTP/0.9", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/1.1 x", canary]
        )
        raw = request(b"POST", SAFE_PATH + b"&c=" + canary, b"", version=version)
        return alone("odd_version", raw, canary)

    def odd_line(self) -> Shot:
        canary = canary_of(self._random)
        line = self._random.choice(
            [
                b"POST  " + SAFE_PATH + canary + b"  HTTP/1.1",
                b"POST\t" + SAFE_PATH + canary + b"\tHTTP/1.1",
                b"POST " + SAFE_PATH + canary,
                SAFE_PATH + canary,
                b"POST " + SAFE_PATH + b" " + canary + b" HTTP/1.1",
                b" POST " + SAFE_PATH + canary + b" HTTP/1.1",
                b"POST " + SAFE_PATH + canary + b" HTTP/1.1\x00",
            ]
        )
        return alone("odd_line", line + b"\r\nHost: x\r\n\r\n", canary)

    def other_protocol(self) -> Shot:
        canary = canary_of(self._random)
        upgrade = (
            (b"Connection", b"Upgrade"),
            (b"Upgrade", self._random.choice([b"websocket", b"h2c", canary])),
            (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
            (b"Sec-WebSocket-Version", b"13"),
        )
        raw = self._random.choice(
            [
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + canary,
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + canary + b"\r\n\r\n",
                b"EHLO " + canary + b"\r\n\r\n",
                b"*1\r\n$4\r\nPING\r\n" + canary + b"\r\n\r\n",
                request(b"GET", SAFE_PATH + canary, headers=(HOST, *upgrade)),
                request(b"POST", SAFE_PATH + canary, b"x", headers=(HOST, *upgrade)),
            ]
        )
        return alone("other_protocol", raw, canary)
