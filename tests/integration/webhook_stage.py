"""The provider's webhook on loopback: HTTPS with a certificate that Relay trusts, or plain HTTP."""

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NO_ANSWER = 0
SILENCE = -1


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Hook:
    """`status` is its answer; NO_ANSWER closes the connection, SILENCE leaves it open."""

    url: str
    status: int = 204
    received: list[Received] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def https_hook(certificate: Path | None) -> Iterator[Hook]:
    """Without a certificate, plain HTTP."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            hook.received.append(Received(self.path, headers, body))
            if hook.status == SILENCE:
                hook.closing.wait()
            elif hook.status != NO_ANSWER:
                self.send_response(hook.status)
                self.send_header("Location", f"{hook.url}/elsewhere")
                self.end_headers()

        do_GET = do_POST = handle_any

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the server's log out of the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            http.socket = context.wrap_socket(http.socket, server_side=True)
        scheme = "https" if certificate else "http"
        hook = Hook(f"{scheme}://127.0.0.1:{http.server_address[1]}/hook")
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield hook
        finally:
            hook.closing.set()
            http.shutdown()
            thread.join()


def write_certificate(path: Path) -> Path:
    """Write a key and a self-signed certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path
