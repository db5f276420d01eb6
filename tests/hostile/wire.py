"""HTTP by hand: half of it, too much of it, or byte by byte."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

PATIENCE = 30.0


class Wire:
    """One connection, on which anything can be sent."""

    def __init__(self, site: str, *, receive_buffer: int = 0) -> None:
        at = urlsplit(site)
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(("127.0.0.1", at.port or 80))
        self.received = b""

    def send(self, text: str | bytes) -> None:
        self._socket.sendall(text if isinstance(text, bytes) else text.encode())

    def ask(self, path: str, method: str = "GET", body: str = "", **headers: str) -> None:
        """Sends a request, or its beginning: a `Content-Length` may be named that is not kept."""
        head = {"Host": "localhost", **{n.replace("_", "-"): v for n, v in headers.items()}}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
        self.send("\r\n".join(lines) + "\r\n\r\n" + body)

    def more(self) -> bool:
        """Waits for something to come; False when the other side has ended the connection."""
        try:
            piece = self._socket.recv(65536)
        except ConnectionResetError:
            return False
        self.received += piece
        return bool(piece)

    def until(self, text: bytes) -> bytes:
        """Waits until this has come, and takes it and all before it."""
        while text not in self.received:
            assert self.more(), self.received
        before, _, self.received = self.received.partition(text)
        return before + text

    def status(self) -> int:
        """Of the next answer, whose head is taken."""
        self.head = self.until(b"\r\n\r\n").decode("latin-1")
        return int(self.head.split()[1])

    def answer(self) -> tuple[int, bytes]:
        """Status and body of the next answer, which has a length."""
        status = self.status()
        length = int(self.head.lower().partition("content-length:")[2].split()[0])
        while len(self.received) < length:
            assert self.more(), self.received
        body, self.received = self.received[:length], self.received[length:]
        return status, body

    def is_ended_stream(self) -> bool:
        """Waits for the regular end of an answer in chunks."""
        return bool(self.until(b"0\r\n\r\n"))

    def is_ended(self) -> bool:
        """Waits for the end of the connection."""
        while self.more():
            pass
        return True

    def close(self) -> None:
        self._socket.close()


@contextmanager
def wire(site: str, *, receive_buffer: int = 0) -> Iterator[Wire]:
    connection = Wire(site, receive_buffer=receive_buffer)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def wires(site: str, number: int) -> Iterator[list[Wire]]:
    with ExitStack() as stack:
        yield [stack.enter_context(wire(site)) for _ in range(number)]


def got(site: str, path: str, **headers: str) -> tuple[int, bytes]:
    """One whole request on a connection of its own."""
    with wire(site) as connection:
        connection.ask(path, Connection="close", **headers)
        return connection.answer()
