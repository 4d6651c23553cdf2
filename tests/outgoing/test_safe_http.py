"""Nothing is sent where it may not go, nothing is followed, and no receiver can keep a worker waiting."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.hookspecs import Undelivered
from runtime.safe_http import SafeOutside, allowed
from tests.outgoing.receivers import Receiver, certificate, receiver

PUBLIC = ("93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "172.32.0.1", "::ffff:8.8.8.8", "2002:0808:0808::1")
PRIVATE = (
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("100.64.0.1", "169.254.169.254", "169.254.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1"),
    *("2002:7f00:1::1", "2002:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "::ffff:0:0", "text"),
)
BAD_ADDRESSES = (
    *("", "https://", "example.com", "//example.com/", "file:///etc/passwd", "ftp://example.com/", "gopher://a/"),
    *("http://example.com/", "https://user:pass@example.com/", "https://example.com@evil.example/"),
    *("https://exa mple.com/", "https://example.com/\r\nX: y", "https://example.com:0/", "https://example.com:99999/"),
    *("https://exämple.com/", "https://example.com\\@evil.example/", "https://[::1", "javascript:alert(1)"),
    *("https://ex_ample*.com/", "data:text/plain,x", "https://example.com/" + "a" * 2000),
)
WAITS_S = 0.4


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def way_out(*hosts: str, **more: object) -> SafeOutside:
    return SafeOutside(allow_hosts=frozenset(hosts), **more)  # type: ignore[arg-type]


def refused(outside: SafeOutside, url: str) -> Undelivered:
    with pytest.raises(Undelivered) as caught:
        outside.post(url, {}, b"{}")
    return caught.value


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    assert allowed(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_other_addresses_are_not(address: str) -> None:
    assert not allowed(address)


def test_a_listed_host_may_be_private_but_never_where_machines_keep_their_credentials() -> None:
    assert allowed("127.0.0.1", exempt=True) and allowed("10.1.2.3", exempt=True)
    for each in ("169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0"):
        assert not allowed(each, exempt=True)


@pytest.mark.parametrize("url", BAD_ADDRESSES)
def test_an_address_that_is_none_is_refused_for_good(url: str) -> None:
    assert not refused(way_out(), url).again


def test_a_host_that_is_not_listed_is_not_asked(there: Receiver) -> None:
    for url in (there.url, f"http://localhost:{there.port}/", f"http://2130706433:{there.port}/"):
        assert not refused(way_out(allow_http=True), url).again
    assert there.arrived == []


def test_a_listed_host_gets_what_was_sent(there: Receiver) -> None:
    there.says(202, {"ok": 1}, **{"X-More": "1"})
    answer = way_out(there.host).post(f"{there.url}/in?a=1", {"X-Own": "2"}, b'{"b": 3}')
    assert (answer.status, answer.headers["x-more"], answer.body) == (202, "1", b'{"ok": 1}')
    [got] = there.arrived
    assert (got.path, got.headers["x-own"], got.headers["host"], got.body) == ("/in?a=1", "2", there.host, b'{"b": 3}')
    assert "accept-encoding" not in got.headers


def test_every_address_of_a_name_must_be_public(there: Receiver) -> None:
    outside = way_out(allow_http=True, resolve=lambda host, port: ("93.184.215.14", "127.0.0.1"))
    assert not refused(outside, f"http://mixed.example:{there.port}/").again
    assert there.arrived == []


def test_a_name_is_resolved_once_and_the_checked_address_is_used(there: Receiver) -> None:
    """A name that answers differently the second time (rebinding) is not asked a second time."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> tuple[str, ...]:
        asked.append(host)
        return ("127.0.0.1",) if len(asked) == 1 else ("169.254.169.254",)

    outside = way_out(f"moving.example:{there.port}", resolve=resolve)
    assert outside.post(f"http://moving.example:{there.port}/", {}, b"").status == 200
    assert asked == ["moving.example"]
    assert there.arrived[0].headers["host"] == f"moving.example:{there.port}"


def test_a_name_without_an_address_may_have_one_later() -> None:
    def resolve(host: str, port: int) -> tuple[str, ...]:
        raise socket.gaierror(-2, "not known")

    assert refused(way_out(resolve=resolve), "https://nowhere.example/").again


def test_redirects_are_not_followed(there: Receiver) -> None:
    with receiver() as trap:
        there.says(302, None, Location=f"{trap.url}/secret")
        assert way_out(there.host, trap.host).post(there.url, {}, b"").status == 302
        assert trap.arrived == []


def test_a_large_answer_is_cut(there: Receiver) -> None:
    there.answer = lambda number, request: (200, {}, b"x" * 3_000_000)
    assert len(way_out(there.host).post(there.url, {}, b"").body) == 1024 * 1024


def test_a_header_cannot_carry_another(there: Receiver) -> None:
    with pytest.raises(Undelivered):
        way_out(there.host).post(there.url, {"X-A": "1\r\nX-B: 2"}, b"")
    assert there.arrived == []


def test_proxies_of_the_environment_are_not_asked(there: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert way_out(there.host).post(there.url, {}, b"").status == 200
        assert proxy.arrived == []


@pytest.mark.parametrize("drip", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"])
def test_a_receiver_that_drips_is_left(drip: bytes) -> None:
    """The limit holds for the whole exchange, not for each byte: silent, slow headers, slow body."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def serve() -> None:
            taken, _ = server.accept()
            with taken:
                taken.sendall(drip)
                while not stop.wait(0.05):
                    try:
                        taken.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        started = time.monotonic()
        failure = refused(way_out(f"127.0.0.1:{port}", timeout_s=WAITS_S), f"http://127.0.0.1:{port}/")
        stop.set()
        thread.join(5)
    assert failure.again
    assert time.monotonic() - started < 20 * WAITS_S


def test_certificates_are_checked(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    if made is None:
        pytest.skip("openssl is not installed")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(*made)
    with receiver(serving) as there:
        url = f"https://127.0.0.1:{there.port}/"
        assert "no trust" in refused(way_out(there.host), url).reason
        trusting = ssl.create_default_context(cafile=str(made[0]))
        assert way_out(there.host, context=trusting).post(url, {}, b"").status == 200


def test_what_failed_is_told_without_the_address() -> None:
    outside = way_out("127.0.0.1:9")
    failure = refused(outside, "http://127.0.0.1:9/robot?key=7313-SECRET")
    assert failure.again
    assert "7313" not in failure.reason
