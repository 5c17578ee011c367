"""Headers that nobody sends, and bodies that are framed in no sound way."""

from __future__ import annotations

from collections.abc import Callable

from tests.callback_gateway.fuzz.shots import Shot, alone, canary_of
from tests.callback_gateway.fuzz.wire import HOST, SAFE_PATH, XML, Header, chunked, request
from tests.simulation.chance import Random


class OddHeaders:
    """One method a kind; what is drawn comes from `random` alone."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def kinds(self) -> dict[str, tuple[int, Callable[[], Shot]]]:
        """Weight and maker of each."""
        return {
            "odd_header": (6, self.odd_header),
            "many_headers": (1, self.many_headers),
            "odd_length": (3, self.odd_length),
            "odd_chunks": (4, self.odd_chunks),
            "odd_transfer": (3, self.odd_transfer),
            "odd_expectation": (2, self.odd_expectation),
            "odd_request_id": (2, self.odd_request_id),
        }

    def odd_header(self) -> Shot:
        canary = canary_of(self._random)
        odd: Header = self._random.choice(
            [
                (b"X-" + canary, b"\x00"),
                (b"X " + canary, b"x"),
                (b"X\x80" + canary, b"x"),
                (b"", canary),
                (b"X", b"a\r\n folded " + canary),
                (b"X", b"a\nY: " + canary),
                (b"X", canary + b"x" * 9000),
                (canary * 400, b"x"),
                (b"Host", canary),
                (b"Cookie", b"=" + canary + b"; \xff=\xfe;;;" + b"a=b;" * 200),
                (b"Authorization", b"Bearer " + canary),
                (b"Range", b"bytes=0-" + canary),
                (b"If-Modified-Since", canary),
                (b"Forwarded", b"for=" + canary + b";proto=x"),
                (b"X-Forwarded-Host", canary),
                (b"Content-Type", b"multipart/form-data; boundary=" + canary),
                (b"Content-Type", b"a/" + canary + b"; charset=" + canary),
                (b"Connection", canary),
            ]
        )
        headers = self._random.choice([(HOST, XML, odd), (odd, HOST), (odd,), (odd, odd, XML)])
        raw = request(b"POST", SAFE_PATH + b"&c=" + canary, b"<xml>", headers=headers)
        return alone("odd_header", raw, canary)

    def many_headers(self) -> Shot:
        canary = canary_of(self._random)
        count = self._random.choice([65, 200, 3000])
        headers = [(b"X-%d" % number, canary) for number in range(count)]
        return alone("many_headers", request(b"POST", SAFE_PATH, headers=headers), canary)

    def odd_length(self) -> Shot:
        canary = canary_of(self._random)
        lengths = self._random.choice(
            [[b"-1"], [b"+5"], [b"5", b"6"], [b"0x5"], [b"5,5"], [b"five"], [b"9" * 30], [b""]]
        )
        headers = [HOST, XML, *((b"Content-Length", length) for length in lengths)]
        raw = request(b"POST", SAFE_PATH + canary, b"hello", headers=headers, length=False)
        return alone("odd_length", raw, canary)

    def odd_chunks(self) -> Shot:
        canary = canary_of(self._random)
        body = self._random.choice(
            [
                b"zz\r\n" + canary,
                b"-1\r\n" + canary,
                b"5;" + canary * 100 + b"\r\nhello\r\n0\r\n\r\n",
                b"f" * 20 + b"\r\n" + canary,
                b"5\r\nhello" + canary + b"\r\n0\r\n\r\n",
                b"5\nhello\n0\n\n",
                chunked(b"hello", canary),
                chunked(*(bytes([each]) for each in canary * 20)),
                chunked(b"hello").removesuffix(b"\r\n") + b"Trailer: " + canary + b"\r\n\r\n",
                chunked(b"x" * 70_000, b"y" * 70_000, b"z" * 70_000, canary * 4000),
            ]
        )
        headers = (HOST, XML, (b"Transfer-Encoding", b"chunked"))
        raw = request(b"POST", SAFE_PATH + canary, body, headers=headers, length=False)
        return alone("odd_chunks", raw, canary)

    def odd_transfer(self) -> Shot:
        canary = canary_of(self._random)
        coding = self._random.choice(
            [b"chunked, identity", b"identity", b"gzip", b"xchunked", b"\x0bchunked", canary]
        )
        headers = [HOST, XML, (b"Transfer-Encoding", coding)]
        if self._random.random() < 0.5:
            headers.append((b"Content-Length", b"4"))
        raw = request(b"POST", SAFE_PATH + canary, chunked(canary), headers=headers, length=False)
        return alone("odd_transfer", raw, canary)

    def odd_expectation(self) -> Shot:
        canary = canary_of(self._random)
        expects = (b"Expect", self._random.choice([b"100-continue", b"200-ok", canary]))
        raw = request(b"POST", SAFE_PATH + canary, b"hello", headers=(HOST, XML, expects))
        return alone("odd_expectation", raw, canary)

    def odd_request_id(self) -> Shot:
        """One that is short and harmless comes back; no other does."""
        canary = canary_of(self._random)
        theirs = self._random.choice(
            [canary * 8, b"<" + canary + b">", canary + b" x", b"-" + canary, b"\xff" + canary]
        )
        raw = request(b"POST", SAFE_PATH, b"x", headers=(HOST, (b"X-Request-ID", theirs)))
        return Shot("odd_request_id", raw, canary)
