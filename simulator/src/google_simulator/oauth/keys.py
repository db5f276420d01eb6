"""The key that signs id_tokens, and its public half as `/oauth2/v3/certs` shows it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from jwt.algorithms import RSAAlgorithm

from google_simulator.model import Setting
from google_simulator.world import World

ISSUER = "https://accounts.google.com"
_SETTING = "signing_key"


class SigningKey:
    """Made when first needed, then kept in the world's state."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._key: rsa.RSAPrivateKey | None = None
        self._certificate: str | None = None

    def keep(self) -> None:
        """Store the key again after a reset: making one takes a while."""
        if self._key is not None:
            self._store(self._key)

    @property
    def private(self) -> rsa.RSAPrivateKey:
        """The key itself."""
        if self._key is None:
            stored = self.world.setting(_SETTING)
            self._key = self._read(str(stored)) if stored else self._make()
        return self._key

    def _read(self, pem: str) -> rsa.RSAPrivateKey:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("The stored signing key is no RSA key.")
        return key

    def _make(self) -> rsa.RSAPrivateKey:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._store(key)
        return key

    def _store(self, key: rsa.RSAPrivateKey) -> None:
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self.world.save(Setting(name=_SETTING, value=pem.decode()))

    def sign(self, claims: dict[str, Any]) -> str:
        """The claims as a signed JWT."""
        return jwt.encode(claims, self.private, algorithm="RS256", headers={"kid": self.id})

    @property
    def id(self) -> str:
        """The `kid` under which the public half is published."""
        return format(self.private.public_key().public_numbers().n & (2**64 - 1), "016x")

    def certificates(self) -> dict[str, str]:
        """Each public key as a self-signed certificate, by its id (`/oauth2/v1/certs`)."""
        if self._certificate is None:
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulated Google")])
            certificate = (
                x509.CertificateBuilder()
                .subject_name(name)
                .issuer_name(name)
                .public_key(self.private.public_key())
                .serial_number(1)
                .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
                .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
                .sign(self.private, hashes.SHA256())
            )
            self._certificate = certificate.public_bytes(serialization.Encoding.PEM).decode()
        return {self.id: self._certificate}

    def published(self) -> dict[str, Any]:
        """The public half as a JSON key set (`/oauth2/v3/certs`)."""
        key = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        key.pop("key_ops", None)
        return {"keys": [key | {"kid": self.id, "alg": "RS256", "use": "sig"}]}
