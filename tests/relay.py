"""A way through this process: passes on whatever arrives at a port."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Relay:
    """Leads from a port of `address` to a socket: a path, or host and port. It can be stopped up:
    then nothing passes, and nobody is told."""

    def __init__(self, address: str, to: str | tuple[str, int]) -> None:
        self._to, self._ended = to, False
        self._whole = threading.Event()
        self._whole.set()
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    def close(self) -> None:
        self._ended = True
        self.mend()
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.close()

    def _accept(self) -> None:
        while not self._ended:
            with suppress(OSError):
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX if isinstance(self._to, str) else socket.AF_INET)
                far.connect(self._to)
                self._open += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._whole.wait()
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
