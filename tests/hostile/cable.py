"""A TCP way to the database that can be cut: nothing passes any more, and nobody is told."""

from __future__ import annotations

from urllib.parse import urlencode

from psycopg.conninfo import conninfo_to_dict

from tests.relay import Relay


class Cable(Relay):
    """Leads from a port of this machine to the server that `url` names."""

    def __init__(self, url: str) -> None:
        self._named = conninfo_to_dict(url)
        host, port = str(self._named["host"]), int(self._named.get("port") or 5432)
        is_folder = host.startswith("/")
        super().__init__("127.0.0.1", f"{host}/.s.PGSQL.{port}" if is_folder else (host, port))

    @property
    def url(self) -> str:
        query = {"host": "127.0.0.1", "port": self.port, "sslmode": "disable"}
        return f"postgresql://{self._named['user']}@/{self._named['dbname']}?{urlencode(query)}"
