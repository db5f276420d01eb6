"""Runs the product on databases that many people have: behind pgbouncer, and with a replica.

1. Behind pgbouncer with transaction pooling, whose connections to PostgreSQL are fewer than those
   of the product: everything that is booked arrives in Google once, and pages hear of it.
2. With a replica that takes over when the first server is killed: no booking that was answered is
   lost, and everything arrives once.

With Debian's packages `postgresql` and `pgbouncer`, which it installs where it may. Not part of the
tests: it takes a minute, and needs programs that the product does not. Exit code 0: all went well.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from google_simulator.testing import RunningSimulator, running_simulator
from tests.google_place import variables_of
from tests.prepared import ALICE, PASSWORD, SECRETS
from tests.processes import Api, answers, free_port, sophiie, until
from tests.product import Product

USER = "postgres"
SECONDS = 60.0


class Server:
    """One PostgreSQL of Debian's in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()

    def create(self) -> None:
        _run(_program("initdb"), "-D", self.folder, "-A", "trust", "-E", "UTF8", "--locale=C")
        self._configure(wal_level="replica", max_wal_senders="4", hot_standby="on")

    def follow(self, first: Server) -> None:
        """Becomes a replica, which has all that the first one has confirmed."""
        source = f"host=127.0.0.1 port={first.port} user={USER} application_name=replica"
        _run(_program("pg_basebackup"), "-D", self.folder, "-d", source, "-R", "-X", "stream")
        self._configure()

    def _configure(self, **settings: str) -> None:
        lines = [
            f"port = {self.port}",
            "listen_addresses = '127.0.0.1'",
            f"unix_socket_directories = '{self.folder}'",
            *(f"{name} = '{value}'" for name, value in settings.items()),
        ]
        path = self.folder / "postgresql.conf"
        path.write_text("\n".join([path.read_text(), *lines, ""]))

    def start(self) -> None:
        log = self.folder.with_suffix(".log")
        _run(_program("pg_ctl"), "-D", self.folder, "-w", "-l", log, "start")

    def stop(self) -> None:
        _run(_program("pg_ctl"), "-D", self.folder, "-m", "immediate", "stop", check=False)

    def promote(self) -> None:
        _run(_program("pg_ctl"), "-D", self.folder, "-w", "promote")

    def ask(self, statement: str, database: str = USER) -> str:
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database)
        done = _run("psql", *where, "-qAtc", statement)
        return done.stdout.strip()


@contextmanager
def bouncer(folder: Path, server: Server) -> Iterator[int]:
    """pgbouncer with eight connections to the server; its port."""
    port, path = free_port(), folder / "pgbouncer.ini"
    path.write_text(
        f"""[databases]
sophiie = host=127.0.0.1 port={server.port} dbname=sophiie user={USER}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 8
max_client_conn = 200
"""
    )
    log = (folder / "pgbouncer.log").open("wb")
    process = subprocess.Popen(_as_user("pgbouncer", path), stdout=log, stderr=log)
    try:
        time.sleep(1)
        assert process.poll() is None, (folder / "pgbouncer.log").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(20)


class ProductOn(Product):
    """Web and worker on a database that is named; Alice's calendar is linked."""

    def __init__(self, folder: Path, google: RunningSimulator, **variables: str) -> None:
        self.google, self.folder, self.port = google, folder, free_port()
        self.url = f"http://localhost:{self.port}"
        self.variables = {
            **variables_of(google),
            "SOPHIIE_DATA_DIR": str(folder / "data"),
            "SOPHIIE_PUBLIC_URL": self.url,
            **SECRETS,
            **variables,
        }
        self._run("migrate")
        self._run(
            *("create-business", "Harbour Plumbing", "--timezone", "Australia/Sydney"),
            *("--owner-email", ALICE, "--owner-name", "Alice", "--password-stdin"),
            stdin=PASSWORD,
        )
        self.api = Api(self.url, self._run("create-api-key", "--member", ALICE))
        self.web = self.start("web", "--port", str(self.port))
        self.worker = self.start("worker")
        until(lambda: answers(f"{self.url}/readyz"), seconds=SECONDS, what="it is ready")
        self.link()

    def _run(self, *words: str, stdin: str = "") -> str:
        done = sophiie(*words, stdin=stdin, **self.variables)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stop(self) -> None:
        self.worker.stop()
        self.web.stop()

    def everything_once(self) -> bool:
        appointments = self.appointments()
        states = {sync["state"] for a in appointments for sync in a["sync"]}
        return states == {"synced"} and self.titles() == sorted(a["title"] for a in appointments)


def behind_pgbouncer(folder: Path, google: RunningSimulator) -> None:
    server = Server(folder / "only")
    server.create()
    server.start()
    try:
        server.ask("CREATE DATABASE sophiie")
        server.ask("ALTER ROLE postgres SET idle_in_transaction_session_timeout = '20s'")
        with bouncer(folder, server) as port:
            product = ProductOn(
                folder,
                google,
                SOPHIIE_DATABASE_URL=_url(port),
                SOPHIIE_DATABASE_DIRECT_URL=_url(server.port),
            )
            try:
                for number in range(1, 41):
                    product.book(number)
                until(product.everything_once, seconds=SECONDS, what="each is there once")
                assert "Traceback" not in product.web.output + product.worker.output
                listening = server.ask("SELECT query FROM pg_stat_activity WHERE query ~ 'LISTEN'")
                assert "procrastinate" in listening, "the worker listens, around pgbouncer"
            finally:
                product.stop()
    finally:
        server.stop()


def with_a_replica(folder: Path, google: RunningSimulator) -> None:
    first, second = Server(folder / "first"), Server(folder / "second")
    first.create()
    first.start()
    try:
        first.ask("CREATE DATABASE sophiie")
        second.follow(first)
        second.start()
        # Whatever was answered is on both: without it the last moments may be lost.
        first.ask("ALTER SYSTEM SET synchronous_standby_names = 'replica'")
        first.ask("SELECT pg_reload_conf()")
        query = {"target_session_attrs": "read-write"}
        product = ProductOn(
            folder, google, SOPHIIE_DATABASE_URL=_url(first.port, second.port, **query)
        )
        try:
            booked = [product.book(number)["title"] for number in range(101, 121)]
            first.stop()
            second.promote()
            began = time.monotonic()
            until(lambda: _booked(product, 121), seconds=SECONDS, what="booking goes on")
            print(f"  bookings go on {time.monotonic() - began:.0f} s after the replica took over")
            booked += [product.book(number)["title"] for number in range(122, 141)]
            until(product.everything_once, seconds=SECONDS, what="each is there once")
            known = {a["title"] for a in product.appointments()}
            assert known >= {*booked}, {*booked} - known
        finally:
            product.stop()
    finally:
        first.stop()
        second.stop()


def _booked(product: Product, number: int) -> bool:
    try:
        return bool(product.book(number))
    except (urllib.error.URLError, OSError):
        return False


def _url(*ports: int, **query: str) -> str:
    hosts = ",".join(["127.0.0.1"] * len(ports))
    query = {"host": hosts, "port": ",".join(map(str, ports)), **query}
    return f"postgresql://{USER}@/sophiie?{urlencode(query, safe=',')}"


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    assert found, f"{name} of Debian's postgresql is missing"
    return str(found[-1])


def _as_user(*words: object) -> list[str]:
    """PostgreSQL and pgbouncer refuse to run as root."""
    if os.getuid() == 0:
        return ["runuser", "-u", USER, "--", *map(str, words)]
    return [*map(str, words)]


def _run(*words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryFile("w+") as output:  # a server inherits it
        done = subprocess.run(_as_user(*words), stdout=output, stderr=output, cwd="/", check=False)
        output.seek(0)
        text = output.read()
    assert not check or done.returncode == 0, text
    return subprocess.CompletedProcess(done.args, done.returncode, text, "")


def main() -> int:
    for package, program in (("postgresql", "psql"), ("pgbouncer", "pgbouncer")):
        if shutil.which(program) is None:
            install = ROOT / "tools" / "install_debian.sh"
            subprocess.run([install, package, package, "to check databases"], check=True)
    for act in (behind_pgbouncer, with_a_replica):
        with tempfile.TemporaryDirectory() as name, running_simulator(quotas=False) as google:
            folder = Path(name)
            if os.getuid() == 0:
                os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
                folder.chmod(0o755)
            print(f"{act.__name__.replace('_', ' ')} ...")
            act(folder, google)
            print("  fine")
    return 0


if __name__ == "__main__":
    sys.exit(main())
