"""E-mail by SMTP: STARTTLS (587), TLS from the start (465), or unencrypted to a server inside the house (25).

A password is never sent unencrypted. An answer of the 500s about the recipient is final; everything else is tried
again. The message id is the same for every attempt.
"""

from __future__ import annotations

import html
import socket
from email.message import EmailMessage
from email.utils import formataddr, formatdate

from engine.labels import Label
from plugins.robots import OPEN
from runtime.hookspecs import Channel, Letter, Option, Outside, Place, Undelivered, hook

STARTTLS, TLS, PLAIN = "starttls", "tls", "none"
PORTS = ((STARTTLS, 587), (TLS, 465), (PLAIN, 25))
TIMEOUT_S = 10.0
PASSWORD_UNENCRYPTED = Label(
    "不加密时不能使用登录名和密码，请选择 STARTTLS 或 TLS。",
    "A login needs an encrypted connection; choose STARTTLS or TLS.",
)
NO_SENDER = Label("发件人应为邮箱地址。", "The sender must be an e-mail address.")
NO_SERVER = Label("服务器应写成 主机 或 主机:端口。", "The server is written as host or host:port.")
WHY = Label(
    "这是系统自动发送的邮件。可在“我的 → 消息通知”中更改接收方式。",
    "Sent automatically. Change what you receive under Me → Notifications.",
)


def check(place: Place) -> tuple[Label, ...]:
    """What is wrong with the settings."""
    found = []
    host, port = server(place)
    if not host or not 0 < port < 65536:
        found.append(NO_SERVER)
    if "@" not in str(place.options.get("sender", "")):
        found.append(NO_SENDER)
    if security(place) == PLAIN and (place.options.get("user") or place.secrets):
        found.append(PASSWORD_UNENCRYPTED)
    return tuple(found)


def server(place: Place) -> tuple[str, int]:
    """Host and port; without a port the usual one. No host when the address is none."""
    host, colon, port = place.address.strip().rpartition(":")
    if not colon:
        host, port = port, str(dict(PORTS)[security(place)])
    valid = port.isascii() and port.isdigit() and len(port) < 6 and "/" not in host and " " not in host
    return (host, int(port)) if valid else ("", 0)


def security(place: Place) -> str:
    """How the connection is encrypted."""
    given = str(place.options.get("security") or STARTTLS)
    return given if given in dict(PORTS) else STARTTLS


def send(letter: Letter, place: Place, outside: Outside) -> None:
    """Hand the mail to the server."""
    import smtplib  # deferred: only whoever sends mail needs it

    class Connected(smtplib.SMTP):
        """Connects to the address that was checked."""

        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
            opened = outside.connect(host, port)
            if security(place) != TLS:
                return opened
            wrapped: socket.socket = outside.tls().wrap_socket(opened, server_hostname=host)
            return wrapped

    if wrong := check(place):
        raise Undelivered(wrong[0].text("en"))
    host, port = server(place)
    sender = str(place.options["sender"])
    try:
        with Connected(host, port, local_hostname=_domain(sender), timeout=TIMEOUT_S) as smtp:
            if security(place) == STARTTLS:
                smtp.starttls(context=outside.tls())
            user = str(place.options.get("user", ""))
            if user and place.secrets:
                smtp.login(user, place.secrets[0])
            smtp.send_message(mail(letter, sender), sender, [letter.address])
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise Undelivered(_line(code, text), status=code, again=code < 500) from error
    except smtplib.SMTPAuthenticationError as error:
        raise Undelivered("the mail server refused the login", status=error.smtp_code) from error
    except smtplib.SMTPResponseException as error:
        raise Undelivered(_line(error.smtp_code, error.smtp_error), status=error.smtp_code) from error
    except smtplib.SMTPException as error:
        raise Undelivered(f"{type(error).__name__}: {error}"[:200]) from error
    except TimeoutError as error:
        raise Undelivered("no answer in time") from error
    except OSError as error:
        raise Undelivered((error.strerror or type(error).__name__)[:200]) from error


def mail(letter: Letter, sender: str) -> EmailMessage:
    """The mail: plain text, and the same as HTML."""
    made = EmailMessage()
    made["Subject"] = _one_line(letter.title)
    made["From"] = sender
    made["To"] = formataddr((_one_line(letter.person), letter.address))
    made["Date"] = formatdate(letter.sent_at)
    made["Message-ID"] = f"<{letter.message_id}@{_domain(sender)}>"
    made["Auto-Submitted"] = "auto-generated"
    paragraphs = [each for each in (letter.body,) if each]
    link = [f"{OPEN.text(letter.language)}: {letter.link}"] if letter.link else []
    made.set_content("\n\n".join([letter.title, *paragraphs, *link, "--\n" + WHY.text(letter.language)]))
    made.add_alternative(_html(letter), subtype="html")
    return made


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2].strip("> ") or "localhost"


def _html(letter: Letter) -> str:
    body = "".join(f"<p>{html.escape(each)}</p>" for each in letter.body.split("\n") if each)
    link = ""
    if letter.link:
        link = f'<p><a href="{html.escape(letter.link)}">{OPEN.text(letter.language)}</a></p>'
    why = f'<p style="color:#667085">{html.escape(WHY.text(letter.language))}</p>'
    return f"<html><body><h3>{html.escape(letter.title)}</h3>{body}{link}{why}</body></html>"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _line(code: int, text: object) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return f"{code} {said}"[:200]


@hook
def stockloom_channels() -> tuple[Channel, ...]:
    """The channel ``email``."""
    return (
        Channel(
            key="email",
            label=Label("邮件", "E-mail"),
            personal=True,
            reached_by="email",
            address=Label("发信服务器（主机:端口）", "Mail server (host:port)"),
            example="smtp.example.com:587",
            secret=Label("密码或授权码", "Password"),
            options=(
                Option(key="sender", label=Label("发件人邮箱", "Sender"), required=True),
                Option(key="user", label=Label("登录名", "Login")),
                Option(
                    key="security",
                    label=Label("加密方式", "Encryption"),
                    kind="choice",
                    choices=(
                        (STARTTLS, Label("STARTTLS（587 端口）", "STARTTLS (port 587)")),
                        (TLS, Label("TLS（465 端口）", "TLS (port 465)")),
                        (PLAIN, Label("不加密（仅内网）", "None (inside the house only)")),
                    ),
                    default=STARTTLS,
                ),
            ),
            check=check,
            send=send,
        ),
    )
