"""What is vendored is what the lock says, licensed, and loads nothing from elsewhere."""

from __future__ import annotations

import hashlib
import re

import pytest

from runtime.web.vendored import FOLDER, vendored_files
from tools.vendor import LOCK, PACKAGES, SPRITE, Untrusted, Wanted, read_lock, trust, wanted_icons

OUTSIDE_LOAD = re.compile(r"""(url\(|@import\s+|import\()\s*['"]?(https?:)?//""")


def test_the_lock_lists_exactly_what_is_wanted() -> None:
    assert [(e["package"], e["version"], e["licence"]) for e in read_lock()] == [
        (wanted.package, wanted.version, wanted.licence) for wanted in PACKAGES
    ]
    assert "http" not in LOCK.read_text("utf-8")


def test_files_have_the_locked_checksums_and_nothing_else_is_there() -> None:
    locked = {
        FOLDER / entry["package"] / entry["version"] / name: digest
        for entry in read_lock()
        for name, digest in entry["files"].items()
    }
    present = {path for path in FOLDER.rglob("*") if path.is_file() and path != LOCK}
    assert present == set(locked)
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in present} == locked


@pytest.mark.parametrize("wanted", PACKAGES, ids=lambda wanted: wanted.package)
def test_every_package_brings_its_licence(wanted: Wanted) -> None:
    text = (FOLDER / wanted.package / wanted.version / "LICENSE").read_text("utf-8")
    marks = {"MIT": "Permission is hereby granted", "0BSD": "Permission to use, copy", "Apache-2.0": "Apache License"}
    assert marks[wanted.licence] in text


def test_nothing_vendored_loads_from_elsewhere() -> None:
    files = (path for path in FOLDER.rglob("*") if path.suffix in {".css", ".js", ".svg"})
    assert [path.name for path in files if OUTSIDE_LOAD.search(path.read_text("utf-8"))] == []


def test_files_are_found_without_their_version() -> None:
    assert vendored_files()["htmx.org/htmx.min.js"] == "vendor/htmx.org/4.0.1/htmx.min.js"
    assert all((FOLDER.parent / path).is_file() for path in vendored_files().values())


def test_the_sprite_holds_every_listed_icon_once() -> None:
    text = (FOLDER.parent / vendored_files()[f"@tabler/icons/{SPRITE}"]).read_text("utf-8")
    assert re.findall(r'<symbol id="([^"]+)"', text) == [name.replace("/", "-") for name in wanted_icons()]
    assert "<script" not in text


def test_an_unknown_or_changed_archive_is_not_trusted() -> None:
    wanted = Wanted(package="p", version="1", licence="MIT")
    trust(wanted, "sha512-a", {}, accept=True)
    trust(wanted, "sha512-a", {("p", "1"): "sha512-a"}, accept=False)
    with pytest.raises(Untrusted):
        trust(wanted, "sha512-a", {}, accept=False)
    with pytest.raises(Untrusted):
        trust(wanted, "sha512-b", {("p", "1"): "sha512-a"}, accept=True)
