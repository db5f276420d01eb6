"""Brings clients to the simulator that have no setting for Google's addresses.

It is a proxy for https that answers for Google's hosts itself, with a certificate of its own, and
passes the requests on. The client's environment names the proxy and the certificate.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

GOOGLES_HOSTS = ("accounts.google.com", "oauth2.googleapis.com", "www.googleapis.com")


@contextmanager
def https_proxy(base_url: str, folder: Path) -> Iterator[dict[str, str]]:
    """The variables that a client's environment needs while the proxy runs."""
    certificate = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    simulator = urlsplit(base_url).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            """From here on the client speaks TLS; nobody but Google is behind this proxy."""
            if self.path.removesuffix(":443") not in GOOGLES_HOSTS:
                self.send_error(403)
                return
            self.send_response(200)
            self.end_headers()
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", 0)
            self.close_connection = False

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            google = HTTPConnection(simulator, timeout=60)
            google.request(self.command, self.path, body, dict(self.headers))
            answer = google.getresponse()
            content = answer.read()
            google.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def finish(self) -> None:
            super().finish()
            self.connection.close()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield {
            "HTTPS_PROXY": f"http://127.0.0.1:{server.server_port}",
            "NO_PROXY": "localhost,127.0.0.1",
            "SSL_CERT_FILE": str(certificate),
            "REQUESTS_CA_BUNDLE": str(certificate),
            "HTTPLIB2_CA_CERTS": str(certificate),
        }
    finally:
        server.shutdown()
        server.server_close()


def _certificate(folder: Path) -> Path:
    """Key and certificate of Google's hosts, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=simulated Google")
    hosts = x509.SubjectAlternativeName([x509.DNSName(host) for host in GOOGLES_HOSTS])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(hosts, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "google.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file
