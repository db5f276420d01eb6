"""A TCP way to the database that can be cut: nothing passes any more, and nobody is told."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlencode

from psycopg.conninfo import conninfo_to_dict


class Cable:
    """Leads from a port of this machine to the server that `url` names."""

    def __init__(self, url: str) -> None:
        self._to = conninfo_to_dict(url)
        self._whole, self._ended = threading.Event(), False
        self._whole.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        query = {"host": "127.0.0.1", "port": self._listener.getsockname()[1], "sslmode": "disable"}
        return f"postgresql://{self._to['user']}@/{self._to['dbname']}?{urlencode(query)}"

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
                far = self._server()
                self._open += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _server(self) -> socket.socket:
        host, port = str(self._to["host"]), int(self._to.get("port") or 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._whole.wait()
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
