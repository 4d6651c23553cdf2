"""Receivers on this machine: an HTTP server that answers as it is told, and a real SMTP server."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

SENDER_PASSWORD = "a-password-for-mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


@dataclass(kw_only=True)
class Receiver:
    """A running receiver. ``answer`` decides status, headers and body of the n-th request, counted from 0."""

    port: int
    answer: Callable[[int, Arrived], tuple[int, Mapping[str, str], bytes]]
    arrived: list[Arrived] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def host(self) -> str:
        """As it is listed among the allowed ones."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def says(self, status: int, body: object = None, **headers: str) -> None:
        """Answer everything like this from now on."""
        raw = json.dumps(body).encode() if body is not None else b""
        self.answer = lambda number, request: (status, headers, raw)


@contextmanager
def receiver(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a free port that answers 200 until it is told otherwise."""
    running: Receiver

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Arrived(path=self.path, headers=headers, body=body)
            with running.lock:
                number = len(running.arrived)
                running.arrived.append(request)
            status, more, raw = running.answer(number, request)
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # with the usual five, callers at once wait for each other by the second

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    running = Receiver(port=server.server_address[1], answer=lambda number, request: (200, {}, b""))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder: Path) -> tuple[Path, Path] | None:
    """A fresh certificate for 127.0.0.1 and its key, as files; None where ``openssl`` is not installed."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(key), "-out",
        str(cert), "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        return None
    return cert, key


@dataclass(kw_only=True)
class Post:
    """A running mail server and what it took. ``refuse``: what it says to recipients instead of 250."""

    port: int
    mails: list[Envelope] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuse: str = ""


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, implicit: bool = False) -> Iterator[Post]:
    """A mail server on a free port; with ``tls`` it demands STARTTLS and a login, or speaks TLS from the start."""
    post = Post(port=0)

    class Box:
        async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 — its library's name
            if post.refuse:
                return post.refuse
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
            post.mails.append(envelope)
            return "250 Message accepted for delivery"

    def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        post.logins.append(data.login.decode())
        right = data.password.decode() == SENDER_PASSWORD
        return AuthResult(success=right, handled=right)  # what is not handled is answered with 535

    class Quick(Controller):
        def _trigger_server(self) -> None:
            plain = ssl.create_default_context()  # its own self-test shakes hands with the server's context
            plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
            with socket.create_connection((self.hostname, self.port), 5) as raw, plain.wrap_socket(raw) as safe:
                safe.recv(100)

    demands: dict[str, Any] = {"authenticator": login, "auth_required": True} if tls is not None else {}
    if tls is not None and not implicit:
        demands |= {"tls_context": tls, "require_starttls": True}
    if implicit:
        demands |= {"auth_require_tls": False}
    kind = Quick if implicit else Controller
    controller = kind(Box(), hostname="127.0.0.1", port=0, ssl_context=tls if implicit else None, **demands)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        controller.port = post.port = free.getsockname()[1]
    controller.start()
    try:
        yield post
    finally:
        controller.stop()
