"""The system user that is made for root's embedded database, and clusters that were `nobody`'s."""

import os
import pwd
import secrets
import subprocess
import threading
from pathlib import Path

import pytest

from sophiie.database import users

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def own_name(monkeypatch):
    """A name that no user has yet; whoever gets it is removed again."""
    name = f"sophiie-test-{secrets.token_hex(4)}"
    monkeypatch.setattr(users, "OWN", name)
    yield name
    subprocess.run(["userdel", name], capture_output=True, check=False)


@only_root
def test_a_user_is_made_that_can_do_nothing_else(own_name):
    found = users.own_user()
    assert found is not None
    assert (found.pw_name, found.pw_dir) == (own_name, "/nonexistent")
    assert 0 < found.pw_uid < 1000
    assert "login" in found.pw_shell
    assert not Path(found.pw_dir).exists()
    assert users.own_user() == found


@only_root
def test_starts_that_race_find_one_user(own_name):
    found = []
    racers = [threading.Thread(target=lambda: found.append(users.own_user())) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert {user and user.pw_name for user in found} == {own_name}
    assert len({user.pw_uid for user in found}) == 1


@only_root
@pytest.mark.parametrize("reason", ["no such program", "refused"])
def test_where_none_can_be_made_it_is_nobody(monkeypatch, tmp_path, own_name, reason):
    """As in a container whose list of users cannot be written."""
    if reason == "refused":
        for program in ("useradd", "adduser"):
            (tmp_path / program).write_text("#!/bin/sh\necho cannot open /etc/passwd >&2; exit 1\n")
            (tmp_path / program).chmod(0o755)
    monkeypatch.setattr(users, "_ADD_PATH", str(tmp_path))
    user = users.choose_server_user(tmp_path, tmp_path / "postgres" / "cluster")
    assert user.uid == NOBODY.pw_uid


@only_root
def test_a_list_of_users_that_is_locked_for_a_moment_is_waited_for(monkeypatch, tmp_path, own_name):
    busy = tmp_path / "useradd"
    busy.write_text(
        f"#!/bin/sh\nif mkdir {tmp_path}/once 2>/dev/null; then\n"
        "  echo 'useradd: cannot lock /etc/passwd; try again later.' >&2; exit 1\n"
        'fi\nexec /usr/sbin/useradd "$@"\n'
    )
    busy.chmod(0o755)
    monkeypatch.setattr(users, "_ADD_PATH", f"{tmp_path}:/usr/bin:/bin")
    found = users.own_user()
    assert found is not None
    assert found.pw_name == own_name


@only_root
def test_a_user_of_that_name_who_is_root_is_not_taken(monkeypatch):
    monkeypatch.setattr(users, "OWN", "root")
    assert users.own_user() is None


@pytest.fixture
def of_nobody(place_at, tmp_path):
    """A data folder as earlier versions made it for root."""
    place = place_at(tmp_path / "data")
    for path in (place.cluster, *place.cluster.rglob("*")):
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid, follow_symlinks=False)
    return place


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in (folder, *folder.rglob("*"))}


@only_root
def test_a_cluster_of_nobody_is_handed_over_when_it_is_started(of_nobody, query):
    own = pwd.getpwnam(users.OWN).pw_uid
    for _ in range(2):
        with of_nobody.postgres() as url:
            assert query(url, "SELECT 1") == 1
            assert of_nobody.server_uid == own
        assert owners(of_nobody.cluster) == {own}


@only_root
def test_a_handing_over_that_was_interrupted_goes_on(of_nobody, query):
    own = pwd.getpwnam(users.OWN)
    for path in [*of_nobody.cluster.rglob("*")][::2]:
        os.chown(path, own.pw_uid, own.pw_gid, follow_symlinks=False)
    with of_nobody.postgres() as url:
        assert query(url, "SELECT 1") == 1
    assert owners(of_nobody.cluster) == {own.pw_uid}


@only_root
def test_files_of_others_are_not_handed_over(of_nobody, tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("root's")
    os.link(mine, of_nobody.cluster / "hard")
    (of_nobody.cluster / "soft").symlink_to(mine)
    with of_nobody.postgres():
        assert mine.stat().st_uid == 0


@only_root
def test_a_cluster_of_nobody_that_runs_is_joined_as_it_is(of_nobody, monkeypatch, query):
    with monkeypatch.context() as earlier:
        earlier.setattr(users, "own_user", lambda: None)
        first = of_nobody.postgres()
        first.start()
    with of_nobody.postgres() as url:
        assert query(url, "SELECT 1") == 1
        assert of_nobody.server_uid == NOBODY.pw_uid
    first.stop()
    with of_nobody.postgres():
        assert of_nobody.server_uid == pwd.getpwnam(users.OWN).pw_uid


@only_root
def test_without_another_user_a_cluster_stays_with_nobody(of_nobody, monkeypatch, query):
    monkeypatch.setattr(users, "own_user", lambda: None)
    with of_nobody.postgres() as url:
        assert query(url, "SELECT 1") == 1
    assert owners(of_nobody.cluster) == {NOBODY.pw_uid}
