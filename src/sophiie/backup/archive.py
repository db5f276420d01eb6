"""The file of a backup: read whole or refused, encrypted if a secret is given.

    magic, header (one line of JSON), frames: length and body, the last one marked

A frame can be neither changed, left out, moved nor cut off. With a secret each is sealed with
AES-256-GCM under a key of this file's own, and nothing of its content can be read without it.
Without a secret each carries a digest, which finds damage but no deliberate change.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"sophiie-backup 1\n"
_MAX_HEADER = 4096
_MAX_FRAME = 16 * 1024 * 1024
_LAST = 1 << 31
_DIGEST_SIZE = 32
# Half a second and 128 MB for each guess.
_SCRYPT_COST = {"n": 2**17, "r": 8, "p": 1}


class ArchiveError(Exception):
    """The file cannot be used; the message says why."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: when and by which release it was taken, and how many rows of what."""

    taken_at: str
    release: str
    rows: dict[str, int]


class _Seal(Protocol):
    def close(self, place: bytes, body: bytes) -> bytes: ...
    def open(self, place: bytes, sealed: bytes) -> bytes: ...


class _Encrypted:
    def __init__(self, secret: bytes, salt: bytes, header: bytes) -> None:
        key = Scrypt(salt=salt, length=32, **_SCRYPT_COST).derive(secret)
        self._cipher, self._header = AESGCM(key), header

    def close(self, place: bytes, body: bytes) -> bytes:
        return self._cipher.encrypt(place, body, self._header)

    def open(self, place: bytes, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(place, sealed, self._header)
        except InvalidTag:
            raise ArchiveError(
                "The passphrase or key file is not the one it was made with, or the file was"
                " changed or is damaged."
            ) from None


class _Digested:
    def __init__(self, header: bytes) -> None:
        self._header = header

    def close(self, place: bytes, body: bytes) -> bytes:
        return body + self._digest(place, body)

    def open(self, place: bytes, sealed: bytes) -> bytes:
        body, digest = sealed[:-_DIGEST_SIZE], sealed[-_DIGEST_SIZE:]
        if digest != self._digest(place, body):
            raise ArchiveError("The file is damaged.")
        return body

    def _digest(self, place: bytes, body: bytes) -> bytes:
        return hashlib.sha256(self._header + place + body).digest()


def write_archive(
    path: Path, manifest: Manifest, chunks: Iterable[bytes], *, secret: bytes | None
) -> None:
    """Writes the file under another name first: it is there complete, or not at all."""
    salt = os.urandom(16)
    header = json.dumps({"encrypted": secret is not None, "salt": salt.hex()}).encode() + b"\n"
    seal = _seal(header, secret)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(MAGIC + header)
            bodies = _with_manifest(manifest, chunks)
            number, body = 0, next(bodies)
            for following in bodies:
                _write_frame(file, seal, number, body, last=False)
                number, body = number + 1, following
            _write_frame(file, seal, number, body, last=True)
            file.flush()
            os.fsync(file.fileno())
        # Unlike a renaming this never replaces a file that is there.
        os.link(draft, path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


def _with_manifest(manifest: Manifest, chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield json.dumps(asdict(manifest)).encode()
    yield from chunks


def _write_frame(file: BinaryIO, seal: _Seal, number: int, body: bytes, *, last: bool) -> None:
    sealed = seal.close(_place(number, last), body)
    file.write(struct.pack(">I", len(sealed) | (_LAST if last else 0)) + sealed)


def _place(number: int, last: bool) -> bytes:
    """Where a frame belongs; never the same twice in one file, so it serves as nonce."""
    return struct.pack(">IQ", int(last), number)


def _seal(header: bytes, secret: bytes | None) -> _Seal:
    if secret is None:
        return _Digested(header)
    return _Encrypted(secret, bytes.fromhex(json.loads(header)["salt"]), header)


class Archive:
    """A backup to read from. Raises `ArchiveError` as soon as anything is wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._opened() as file:
            self._header = self._read_header(file)
        self._seal: _Seal | None = None

    @property
    def is_encrypted(self) -> bool:
        return bool(json.loads(self._header)["encrypted"])

    def unlock(self, secret: bytes | None) -> None:
        """`secret` is that with which the file was made; it is ignored where there is none."""
        if self.is_encrypted and secret is None:
            raise ArchiveError("The backup is encrypted: name its passphrase or key file.")
        self._seal = _seal(self._header, secret if self.is_encrypted else None)

    def manifest(self) -> Manifest:
        return self._manifest(next(self._bodies()))

    def verify(self) -> Manifest:
        """Reads the whole file once."""
        bodies = self._bodies()
        manifest = self._manifest(next(bodies))
        for _ in bodies:
            pass
        return manifest

    def chunks(self) -> Iterator[bytes]:
        """The content, checked as it is read: it is right only if the end is reached."""
        bodies = self._bodies()
        next(bodies)
        yield from bodies

    def _manifest(self, body: bytes) -> Manifest:
        try:
            return Manifest(**json.loads(body))
        except (TypeError, ValueError):
            raise ArchiveError(
                f"{self._path} was made by another release of Sophiie; restore it with that one."
            ) from None

    def _bodies(self) -> Iterator[bytes]:
        assert self._seal is not None, "unlock it first"
        with self._opened() as file:
            self._read_header(file)
            number, last = 0, False
            while not last:
                (word,) = struct.unpack(">I", self._read(file, 4))
                last, length = bool(word & _LAST), word & ~_LAST
                if length > _MAX_FRAME:
                    raise ArchiveError(f"{self._path} is damaged.")
                yield self._seal.open(_place(number, last), self._read(file, length))
                number += 1
            if file.read(1):
                raise ArchiveError(f"{self._path} is damaged: something follows its end.")

    def _opened(self) -> Any:
        try:
            return self._path.open("rb")
        except OSError as error:
            raise ArchiveError(f"{self._path} cannot be read: {error.strerror}.") from None

    def _read_header(self, file: BinaryIO) -> bytes:
        if file.read(len(MAGIC)) != MAGIC:
            raise ArchiveError(f"{self._path} is not a backup of Sophiie.")
        header = file.readline(_MAX_HEADER)
        try:
            known = json.loads(header)
            bytes.fromhex(known["salt"])
            bool(known["encrypted"])
        except (KeyError, TypeError, ValueError):
            raise ArchiveError(f"{self._path} is damaged.") from None
        return header

    def _read(self, file: BinaryIO, length: int) -> bytes:
        found = file.read(length)
        if len(found) < length:
            raise ArchiveError(f"{self._path} is not whole: its end is missing.")
        return found
