"""A backup's file is read whole or refused, whatever happened to it."""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from sophiie.backup import archive
from sophiie.backup.archive import MAGIC, Archive, ArchiveError, Manifest, write_archive

SECRET = b"correct horse battery staple"
MANIFEST = Manifest(taken_at="2026-12-01T02:17:00+00:00", release="1", rows={"member": 2})
CHUNKS = [b"first" * 9, b"", b"last"]


@pytest.fixture(autouse=True)
def _guessing_is_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """These read the file hundreds of times."""
    monkeypatch.setattr(archive, "_SCRYPT_COST", {"n": 2, "r": 1, "p": 1})


@pytest.fixture(params=[None, SECRET], ids=["plain", "encrypted"])
def secret(request: pytest.FixtureRequest) -> bytes | None:
    found: bytes | None = request.param
    return found


@pytest.fixture
def file(tmp_path: Path, secret: bytes | None) -> Path:
    write_archive(tmp_path / "backup", MANIFEST, CHUNKS, secret=secret)
    return tmp_path / "backup"


def read(file: Path, secret: bytes | None) -> bytes:
    found = Archive(file)
    found.unlock(secret)
    assert found.verify() == found.manifest() == MANIFEST
    return b"".join(found.chunks())


def refused(file: Path, content: bytes, secret: bytes | None) -> bool:
    changed = file.with_name("changed")
    changed.write_bytes(content)
    try:
        read(changed, secret)
    except ArchiveError:
        return True
    return False


def frames(content: bytes) -> Iterator[bytes]:
    """The frames of a file, each with its length."""
    rest = content[len(MAGIC) :].partition(b"\n")[2]
    while rest:
        length = struct.unpack(">I", rest[:4])[0] & 0x7FFFFFFF
        yield rest[: length + 4]
        rest = rest[length + 4 :]


def test_what_was_written_is_read_back(file: Path, secret: bytes | None) -> None:
    assert read(file, secret) == b"".join(CHUNKS)


def test_it_belongs_to_its_owner_alone_and_replaces_nothing(
    file: Path, secret: bytes | None
) -> None:
    before = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_archive(file, MANIFEST, [b"other"], secret=secret)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_dump_that_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a part"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_archive(tmp_path / "backup", MANIFEST, chunks(), secret=None)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_cut_off_anywhere_is_refused(file: Path, secret: bytes | None) -> None:
    content = file.read_bytes()
    assert all(refused(file, content[:length], secret) for length in range(len(content)))


def test_a_file_with_any_byte_changed_is_refused(file: Path, secret: bytes | None) -> None:
    content = file.read_bytes()
    for place, byte in enumerate(content):
        changed = content[:place] + bytes([byte ^ 1]) + content[place + 1 :]
        assert refused(file, changed, secret), place


def test_frames_can_neither_be_moved_nor_left_out_nor_added(
    file: Path, secret: bytes | None
) -> None:
    content = file.read_bytes()
    manifest, first, second, last = frames(content)
    head = content[: -len(manifest + first + second + last)]
    assert not refused(file, head + manifest + first + second + last, secret)
    for order in (
        manifest + second + first + last,
        manifest + first + last,
        manifest + first + first + second + last,
        manifest + first + second,
        manifest + first + second + last + last,
    ):
        assert refused(file, head + order, secret)


@pytest.mark.parametrize("secret", [SECRET], indirect=True)
def test_an_encrypted_file_opens_with_its_secret_alone(file: Path, secret: bytes) -> None:
    assert b"member" not in file.read_bytes()
    with pytest.raises(ArchiveError, match="encrypted"):
        Archive(file).unlock(None)
    other = Archive(file)
    other.unlock(b"another secret")
    with pytest.raises(ArchiveError, match="passphrase or key file"):
        other.verify()


def test_another_file_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"PGDMP")
    with pytest.raises(ArchiveError, match="not a backup"):
        Archive(tmp_path / "other")
    with pytest.raises(ArchiveError, match="cannot be read"):
        Archive(tmp_path / "missing")
