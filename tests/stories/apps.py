"""The apps whose stories are tests: every template of the catalog, the examples and the apps made for tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from engine.definitions.compiled import AppBundle
from runtime.bundles import bundle_in

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("templates_catalog", "examples", "tests/apps", "tests/outsider")


def app_folders() -> tuple[Path, ...]:
    """Folders with an ``app.yaml``."""
    return tuple(sorted(file.parent for place in PLACES for file in (ROOT / place).glob("*/app.yaml")))


@cache
def bundle_of_app(folder: Path) -> AppBundle:
    """The compiled app of a folder; compiled once per test process."""
    return bundle_in(folder)


def story_names(folder: Path) -> tuple[str, ...]:
    """Keys of the stories in a folder, as their files say, read without the product."""
    files = sorted((folder / "tests").glob("*.yaml"))
    return tuple(str(yaml.load(file.read_text("utf-8"), yaml.BaseLoader)["story"]) for file in files)
