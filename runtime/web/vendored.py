"""Where the vendored files of the interface are: ``<package>/<file>`` → path below ``static/``, from the lock file.

Templates name a file without its version, so that vendoring a newer one changes no template; the version in the path is
what lets browsers keep the file for good.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent / "static" / "vendor"


def vendored_files(folder: Path = FOLDER) -> Mapping[str, str]:
    """``htmx.org/htmx.min.js`` → ``vendor/htmx.org/4.0.1/htmx.min.js`` for every vendored file; read once at start."""
    entries = json.loads((folder / "vendor.lock.json").read_text("utf-8"))["packages"]
    return MappingProxyType(
        {
            f"{entry['package']}/{name}": f"vendor/{entry['package']}/{entry['version']}/{name}"
            for entry in entries
            for name in entry["files"]
        }
    )
