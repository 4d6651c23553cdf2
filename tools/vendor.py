"""Fetch the third-party files of the web interface from npm, check them, and commit them to the source tree.

``python -m tools.vendor`` packs each exact version, verifies it against the checksum in ``vendor.lock.json``, copies
the listed files and the licence to ``runtime/web/static/vendor/<package>/<version>/`` and rewrites the lock. A version
the lock does not know yet is taken over only with ``--accept``. Neither npm nor the network is needed at run time.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "runtime" / "web" / "static" / "vendor"
LOCK = VENDOR / "vendor.lock.json"
LICENCES = ROOT / "tools" / "licences"
ICON_LIST = ROOT / "tools" / "vendored_icons.txt"
SPRITE = "tabler-icons.svg"
BLANK_TILE = re.compile(r'\s*<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>')
BODY = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One package at one version; ``files`` are paths inside it, ``icons`` assembles the sprite instead."""

    package: str
    version: str
    licence: str
    files: tuple[str, ...] = ()
    icons: bool = False
    own_licence_text: str = ""


PACKAGES: tuple[Wanted, ...] = (
    Wanted(package="htmx.org", version="4.0.1", licence="0BSD", files=("dist/htmx.min.js",)),
    Wanted(
        package="@tabler/core",
        version="1.6.1",
        licence="MIT",
        files=("dist/css/tabler.min.css", "dist/js/tabler.min.js"),
        own_licence_text="tabler-core.txt",
    ),
    Wanted(package="@tabler/icons", version="3.51.0", licence="MIT", icons=True),
    Wanted(package="sortablejs", version="1.15.7", licence="MIT", files=("Sortable.min.js",)),
    Wanted(
        package="tom-select",
        version="2.6.2",
        licence="Apache-2.0",
        files=("dist/js/tom-select.popular.min.js", "dist/css/tom-select.bootstrap5.min.css"),
    ),
)


class Untrusted(Exception):
    """A package is not what the lock says, or not known to it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Vendor every package; 1 when one cannot be trusted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accept", action="store_true", help="take over versions the lock does not know")
    options = parser.parse_args(arguments)
    known = {(entry["package"], entry["version"]): entry["integrity"] for entry in read_lock()}
    entries = []
    with tempfile.TemporaryDirectory() as scratch:
        for wanted in PACKAGES:
            try:
                archive, integrity = pack(wanted, Path(scratch))
                trust(wanted, integrity, known, accept=options.accept)
            except Untrusted as refusal:
                print(refusal, file=sys.stderr)
                return 1
            entries.append(place(wanted, archive, integrity))
    LOCK.write_text(json.dumps({"packages": entries}, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0


def read_lock() -> list[dict[str, Any]]:
    """The entries of the lock file; none before the first run."""
    return list(json.loads(LOCK.read_text("utf-8"))["packages"]) if LOCK.exists() else []


def pack(wanted: Wanted, scratch: Path) -> tuple[Path, str]:
    """Download one package; the archive and its checksum, computed here and compared with what npm says."""
    command = ("npm", "pack", f"{wanted.package}@{wanted.version}", "--json", "--ignore-scripts", "--loglevel=error")
    packed = subprocess.run(command, cwd=scratch, check=True, capture_output=True, text=True)
    [said] = json.loads(packed.stdout)
    archive = scratch / said["filename"]
    computed = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if computed != said["integrity"]:
        raise Untrusted(f"{wanted.package} {wanted.version}: the archive does not have the checksum npm announced")
    return archive, computed


def trust(wanted: Wanted, integrity: str, known: Mapping[tuple[str, str], str], *, accept: bool) -> None:
    """Raise `Untrusted` unless the lock knows this checksum, or ``accept`` lets a new version in."""
    expected = known.get((wanted.package, wanted.version))
    if expected is None and not accept:
        raise Untrusted(f"{wanted.package} {wanted.version} is not in the lock; look at it, then run with --accept")
    if expected not in (None, integrity):
        raise Untrusted(f"{wanted.package} {wanted.version}: checksum {integrity} is not the locked {expected}")


def place(wanted: Wanted, archive: Path, integrity: str) -> dict[str, Any]:
    """Copy what is wanted out of the archive, replacing other versions; the entry for the lock."""
    folder = VENDOR / wanted.package / wanted.version
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        for path in wanted.files:
            (folder / Path(path).name).write_bytes(member(tar, path))
        if wanted.icons:
            (folder / SPRITE).write_text(sprite(tar), "utf-8")
        own = wanted.own_licence_text
        licence = (LICENCES / own).read_bytes() if own else member(tar, "LICENSE")
        (folder / "LICENSE").write_bytes(licence)
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    return {
        "package": wanted.package,
        "version": wanted.version,
        "licence": wanted.licence,
        "integrity": integrity,
        "files": files,
    }


def member(tar: tarfile.TarFile, path: str) -> bytes:
    """The content of ``path`` inside an npm archive."""
    found = tar.extractfile(f"package/{path}")
    if found is None:
        raise Untrusted(f"{path} is not a file of the package")
    return found.read()


def wanted_icons() -> tuple[str, ...]:
    """Names in the icon list, in its order."""
    lines = (line for line in ICON_LIST.read_text("utf-8").splitlines() if not line.startswith("#"))
    return tuple(name for line in lines for name in line.split())


def sprite(tar: tarfile.TarFile) -> str:
    """One SVG with a symbol per icon. Stroke width is left to the page, so that it can differ with the size."""
    symbols = []
    for name in wanted_icons():
        filled = name.startswith("filled/")
        source = member(tar, f"icons/{name if filled else f'outline/{name}'}.svg").decode()
        body = BODY.search(BLANK_TILE.sub("", source))
        if body is None:
            raise Untrusted(f"icon {name} is not an SVG")
        paint = (
            'fill="currentColor"'
            if filled
            else 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'
        )
        shapes = "".join(line.strip() for line in body.group(1).splitlines())
        symbols.append(f'<symbol id="{name.replace("/", "-")}" viewBox="0 0 24 24" {paint}>{shapes}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


if __name__ == "__main__":
    sys.exit(main())
