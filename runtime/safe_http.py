"""The way out: one client for everything that leaves the house, careful about where it is sent.

An address is resolved once; every address it has must be a public one; the connection goes to the address that was
checked, so a name that changes in between leads nowhere. Redirects are answers, not orders. There is a limit for the
time and the size of everything, and the environment's proxies are not asked. The operator may list receivers that are
exempt (``STOCKLOOM_WEBHOOK_ALLOW_HOSTS``); link-local addresses, where machines keep their credentials, never are.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from runtime.hookspecs import Answer, Undelivered

TIMEOUT_S = 10.0
MOST_BYTES = 1024 * 1024
LONGEST_ADDRESS = 2000
AGENT = "Stockloom"
PORTS: Mapping[str, int] = MappingProxyType({"https": 443, "http": 80})
# Networks whose addresses hold another address inside.
NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
PRINTABLE = re.compile(r"[!-~]+")
HOST = re.compile(r"[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\]")

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as the system knows them, each once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An address taken apart: ``path`` includes the query; ``exempt``: listed by the operator."""

    scheme: str
    host: str
    port: int
    path: str
    exempt: bool


@dataclass(slots=True, kw_only=True)
class SafeOutside:
    """Keeps `runtime.hookspecs.Outside`. Thread-safe.

    Attributes:
        allow_http: whether unencrypted receivers are allowed at all.
        allow_hosts: ``host`` or ``host:port`` that may be private or unencrypted.
        timeout_s: for one request as a whole, name look-up excepted.
        resolve: host and port → addresses. context: for TLS; made when it is first needed.
    """

    allow_http: bool = False
    allow_hosts: frozenset[str] = frozenset()
    timeout_s: float = TIMEOUT_S
    resolve: Resolve = resolve
    context: ssl.SSLContext | None = field(default=None, repr=False)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send ``body``. Raises `Undelivered` when there is no answer, or the address is not allowed."""
        target = self.target(url)
        until = time.monotonic() + self.timeout_s
        try:
            return self._exchange(target, headers, body, until)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Undelivered(_reason(error)) from error

    def check(self, url: str) -> None:
        """Raises `Undelivered` when ``url`` is none, or names an address that is not allowed."""
        target = self.target(url)
        try:
            named = ipaddress.ip_address(target.host)
        except ValueError:
            return
        if not allowed(str(named), target.exempt):
            raise Undelivered("the address is not a public one", again=False)

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to a checked address of ``host``, with the time limit set."""
        if not HOST.fullmatch(host) or not 0 < port < 65536:
            raise Undelivered("the address is none", again=False)
        try:
            return self._connected(host.strip("[]"), port, self._exempt(host, port), time.monotonic() + self.timeout_s)
        except (OSError, ValueError) as error:
            raise Undelivered(_reason(error)) from error

    def tls(self) -> Any:
        """The context connections are made with."""
        if self.context is None:
            self.context = ssl.create_default_context()  # takes a while: it reads what the machine trusts
        return self.context

    def target(self, url: str) -> Target:
        """``url`` taken apart, once it is known to be allowed as far as can be seen without looking it up.

        Raises:
            Undelivered: (not ``again``) another scheme, credentials, odd characters, no host.
        """
        if len(url) > LONGEST_ADDRESS or not PRINTABLE.fullmatch(url):
            raise Undelivered("the address is none", again=False)
        try:
            parts = urlsplit(url)
            port = parts.port if parts.port is not None else PORTS.get(parts.scheme, 0)
        except ValueError as error:
            raise Undelivered("the address is none", again=False) from error
        host = parts.hostname or ""
        bracketed = f"[{host}]" if ":" in host else host
        if "@" in parts.netloc or "\\" in url or not HOST.fullmatch(bracketed) or not port:
            raise Undelivered("the address is none", again=False)
        exempt = self._exempt(bracketed, port)
        if parts.scheme != "https" and not (parts.scheme == "http" and (self.allow_http or exempt)):
            raise Undelivered("only https is allowed", again=False)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(scheme=parts.scheme, host=host, port=port, path=path, exempt=exempt)

    def _exempt(self, host: str, port: int) -> bool:
        name = host.lower()
        return name in self.allow_hosts or f"{name}:{port}" in self.allow_hosts

    def _exchange(self, target: Target, headers: Mapping[str, str], body: bytes, until: float) -> Answer:
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.default_port = PORTS[target.scheme]  # the usual one is left out of the header ``Host``
        raw = self._connected(target.host, target.port, target.exempt, until)
        try:
            if target.scheme == "https":
                raw.settimeout(_left(until))
                raw = self.tls().wrap_socket(raw, server_hostname=target.host)
            connection.sock = _Timed(raw, until)
            connection.putrequest("POST", target.path, skip_accept_encoding=True)
            for name, value in {"User-Agent": AGENT, "Content-Length": str(len(body)), **headers}.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(
                status=answer.status,
                headers=MappingProxyType({name.lower(): value for name, value in answer.getheaders()}),
                body=answer.read(MOST_BYTES),
            )
        finally:
            connection.close()
            raw.close()

    def _connected(self, host: str, port: int, exempt: bool, until: float) -> socket.socket:
        addresses = self.resolve(host, port)
        if not addresses:
            raise OSError("the name has no address")
        for each in addresses:
            if not allowed(each, exempt):
                raise Undelivered("the address is not a public one", again=False)
        last: OSError = OSError("no address answered")
        for each in addresses:
            family = socket.AF_INET6 if ":" in each else socket.AF_INET
            opened = socket.socket(family, socket.SOCK_STREAM)
            try:
                opened.settimeout(_left(until))
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # headers and body are two writes
                opened.connect((each, port))
                return opened
            except OSError as error:
                opened.close()
                last = error
        raise last


def allowed(address: str, exempt: bool = False) -> bool:
    """Whether a message may be sent to ``address``; ``exempt`` allows private ones, never link-local or multicast."""
    try:
        inner = _inside(ipaddress.ip_address(address.split("%")[0]))
    except ValueError:
        return False
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified:
        return False
    if exempt:
        return True
    local = isinstance(inner, ipaddress.IPv6Address) and inner.is_site_local
    return inner.is_global and not inner.is_private and not inner.is_reserved and not inner.is_loopback and not local


def _inside(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    whole = int(address)
    if any(address in network for network in NAT64) or 0 < whole < 2**32:
        return ipaddress.IPv4Address(whole & 0xFFFFFFFF) if whole > 1 else address
    return address


class _Timed:
    """A socket whose reads and writes together end at a moment, however slowly the other side drips."""

    def __init__(self, raw: socket.socket, until: float) -> None:
        self._raw = raw
        self._until = until

    def sendall(self, data: Any) -> None:
        """All of ``data``, or ``TimeoutError``."""
        self._raw.settimeout(_left(self._until))
        self._raw.sendall(data)

    def makefile(self, mode: str = "rb", *_more: Any) -> io.BufferedReader:
        """What ``http.client`` reads the answer from."""
        return io.BufferedReader(_Reader(self._raw, self._until))

    def close(self) -> None:
        """Nothing yet: the answer is still to be read; whoever opened the socket closes it."""


class _Reader(io.RawIOBase):
    def __init__(self, raw: socket.socket, until: float) -> None:
        self._raw = raw
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._raw.settimeout(_left(self._until))
        return self._raw.recv_into(buffer)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("no answer in time")
    return left


def _reason(error: Exception) -> str:
    """What went wrong in a line, without the address: a robot's key may be part of it."""
    match error:
        case TimeoutError():
            return "no answer in time"
        case socket.gaierror():
            return "the name was not found"
        case ssl.SSLError():
            return f"no trust: {getattr(error, 'verify_message', '') or error.reason}"[:200]
        case OSError() if error.strerror:
            return error.strerror[:200]
        case _:
            return type(error).__name__
