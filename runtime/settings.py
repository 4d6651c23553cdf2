"""Every setting of an installation: its variable, default and one-line help. Read once, then frozen.

`read_settings` is called in the composition root with the process environment; nothing else in the product looks at the
environment. Settings say where things are and how large they may get, never how documents behave: that belongs to the
app's definitions. A malformed value stops the start with every problem at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.labels import LANGUAGES, Language
from engine.problems import Problem, Refused, problem, suggestion

PREFIX = "STOCKLOOM_"
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


def _setting(default: Any, help_zh: str, help_en: str, *, least: int | None = None, most: int | None = None) -> Any:
    """One setting; ``least`` and ``most`` bound an integer. ``stockloom doctor --settings`` shows the help texts."""
    return field(
        default=default,
        metadata=MappingProxyType({"zh": help_zh, "en": help_en, "least": least, "most": most}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What differs between two installations of one version. The variable of ``data_dir`` is ``STOCKLOOM_DATA_DIR``."""

    data_dir: Path = _setting(
        Path("data"), "数据文件夹：数据库、附件、密钥都在里面", "folder of databases, attachments and keys"
    )
    database_url: str | None = _setting(
        None,
        "PostgreSQL 地址；不填则使用数据文件夹里的 SQLite",
        "address of PostgreSQL; empty means SQLite in the data folder",
    )
    host: str = _setting("127.0.0.1", "网页监听的地址", "address the web server listens on")
    port: int = _setting(8000, "网页监听的端口", "port the web server listens on", least=0, most=65535)
    language: Language = _setting("zh", "默认语言：zh 或 en", "default language: zh or en")
    secret_file: Path | None = _setting(
        None,
        "签名密钥文件；不填则为数据文件夹里的 secret.key",
        "signing key; empty means secret.key in the data folder",
    )
    public_url: str = _setting("", "用户看到的网址，用于通知里的链接", "address users see, for links in messages")
    secure_cookies: bool = _setting(False, "仅通过 HTTPS 发送登录凭据", "send the session cookie over HTTPS only")
    upload_limit_mb: int = _setting(20, "单个上传文件的上限（MB）", "largest upload, in MB", least=1, most=1024)
    session_hours: int = _setting(
        12, "登录多久无操作后失效（小时）", "hours without use until a session ends", least=1, most=8760
    )
    pool_size: int = _setting(
        5, "每个工作区的 PostgreSQL 连接数", "PostgreSQL connections per workspace", least=1, most=200
    )
    busy_timeout_ms: int = _setting(
        10_000, "SQLite 等待写锁的毫秒数", "milliseconds SQLite waits for its write lock", least=100, most=120_000
    )
    worker_concurrency: int = _setting(4, "同时执行的后台任务数", "background jobs that run at once", least=1, most=64)
    embedded_worker: bool = _setting(
        True, "网页进程同时执行后台任务（仅 SQLite）", "run background jobs in the web process (SQLite only)"
    )
    job_retention_days: int = _setting(30, "已完成任务的保留天数", "days finished jobs are kept", least=1, most=3650)
    seal_hours: int = _setting(1, "每隔几小时封存一次账目", "hours between two seals of the ledgers", least=1, most=24)
    webhook_allow_hosts: str = _setting(
        "",
        "允许发往的内网主机（逗号分隔，主机 或 主机:端口），可不加密；邮件服务器也算",
        "hosts inside the house that may be sent to (host or host:port, comma separated), also unencrypted; mail too",
    )
    webhook_allow_http: bool = _setting(
        False, "允许向公网的 http 地址发送（不加密）", "allow unencrypted http receivers outside"
    )
    log_format: str = _setting("text", "日志格式：text 或 json", "log format: text or json")
    test_mode: bool = _setting(
        False, "测试模式：快速口令哈希、可设日期", "test mode: fast password hashing, a date that can be set"
    )
    fault: str = _setting(
        "",
        "测试模式下，在哪一步出什么故障（步骤:故障）",
        "in test mode, which fault to make at which step (step:action)",
    )

    @property
    def upload_limit_bytes(self) -> int:
        """The largest accepted request body, in bytes."""
        return self.upload_limit_mb * 1024 * 1024

    @property
    def secret_path(self) -> Path:
        """Where the signing key is kept; created with mode 0600 by the composition root."""
        return self.secret_file or self.data_dir / "secret.key"

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Receivers inside the house, as listed."""
        return frozenset(each.strip().lower() for each in self.webhook_allow_hosts.split(",") if each.strip())

    @property
    def uses_postgres(self) -> bool:
        """Whether workspaces live in PostgreSQL."""
        return self.database_url is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingHelp:
    """What the documentation and ``stockloom doctor --settings`` say about one setting."""

    variable: str
    default: str
    zh: str
    en: str


def setting_helps() -> tuple[SettingHelp, ...]:
    """Every setting in declaration order."""
    return tuple(
        SettingHelp(
            variable=PREFIX + each.name.upper(),
            default="" if each.default is None else str(each.default),
            zh=each.metadata["zh"],
            en=each.metadata["en"],
        )
        for each in fields(Settings)
    )


def read_settings(env: Mapping[str, str]) -> Settings:
    """The settings in ``env``; names without the prefix are ignored. Raises ``Refused`` with every malformed value.

    A name with the prefix that no setting has is refused as well, so that a misspelt variable cannot go unnoticed.
    """
    known = {PREFIX + each.name.upper(): each for each in fields(Settings)}
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for variable, raw in sorted(env.items()):
        if not variable.startswith(PREFIX):
            continue
        if variable not in known:
            problems.append(problem("setting.unknown", variable, name=variable, **suggestion(variable, known)))
            continue
        each = known[variable]
        value, wrong = _parse(variable, raw.strip(), each.name, each.default, each.metadata)
        if wrong is not None:
            problems.append(wrong)
        else:
            values[each.name] = value
    if problems:
        raise Refused(problems)
    return Settings(**values)


def _parse(variable: str, raw: str, name: str, default: Any, bounds: Mapping[str, Any]) -> tuple[Any, Problem | None]:
    """The value of one variable, or what is wrong with it. An empty optional value means "not set"."""
    if isinstance(default, bool):
        if raw.lower() not in TRUE_WORDS | FALSE_WORDS:
            return None, problem("setting.not_boolean", variable, name=variable, value=raw)
        return raw.lower() in TRUE_WORDS, None
    if isinstance(default, int):
        if not (raw.isascii() and raw.isdigit() and bounds["least"] <= int(raw[:12]) <= bounds["most"]):
            return None, problem(
                "setting.not_in_range", variable, name=variable, value=raw, least=bounds["least"], most=bounds["most"]
            )
        return int(raw), None
    choices = {"language": LANGUAGES, "log_format": ("text", "json")}.get(name)
    if choices and raw not in choices:
        return None, problem("setting.not_a_choice", variable, name=variable, value=raw, choices=", ".join(choices))
    if name == "database_url":
        return _database_url(variable, raw)
    if isinstance(default, Path) or name.endswith("_file"):
        return (Path(raw) if raw else default), None
    return raw, None


def postgres_url(name: str, raw: str) -> str:
    """The address of a PostgreSQL server as SQLAlchemy wants it; ``name`` says where it was given.

    Raises:
        Refused: it is not one.
    """
    url, wrong = _database_url(name, raw)
    if url is None:
        raise Refused([wrong or problem("setting.not_postgres", name, name=name)])
    return url


def _database_url(variable: str, raw: str) -> tuple[str | None, Problem | None]:
    """``postgresql://…`` with the driver this product ships; a problem does not repeat it, it may hold a password."""
    for scheme in ("postgresql+psycopg://", "postgresql://", "postgres://"):
        if raw.startswith(scheme):
            return "postgresql+psycopg://" + raw.removeprefix(scheme), None
    return None, None if not raw else problem("setting.not_postgres", variable, name=variable)
