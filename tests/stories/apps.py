"""The apps whose stories are tests: every template of the catalog, the examples and the apps made for tests."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("templates_catalog", "examples", "tests/apps", "tests/outsider")


def app_folders() -> tuple[Path, ...]:
    """Folders with an ``app.yaml``."""
    return tuple(sorted(file.parent for place in PLACES for file in (ROOT / place).glob("*/app.yaml")))


def story_names(folder: Path) -> tuple[str, ...]:
    """Keys of the stories in a folder, as their files say, read without the product."""
    files = sorted((folder / "tests").glob("*.yaml"))
    return tuple(str(yaml.load(file.read_text("utf-8"), yaml.BaseLoader)["story"]) for file in files)
