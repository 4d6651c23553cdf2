"""The files pages are made of: addresses that change with their content, so that a browser may keep them for good.

``app.css`` is served as ``/static/app.css?v=<hash>``; vendored files are named without their version
(``@tabler/core/tabler.min.css``) and found through their lock. Nothing outside ``static/`` can be reached.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from runtime.web.vendored import vendored_files

FOLDER = Path(__file__).parent / "static"
PREFIX = "/static"
SPRITE = "@tabler/icons/tabler-icons.svg"
SYMBOL = re.compile(r'<symbol id="([^"]+)"')
HASH_LENGTH = 12
KEPT_FOR_GOOD = "public, max-age=31536000, immutable"
ASKED_AGAIN = "no-cache"


def static_addresses(folder: Path = FOLDER, vendored: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Name of every own and vendored file → its address; hashes the own files once at start."""
    own = {
        path.relative_to(folder).as_posix(): f"{PREFIX}/{path.relative_to(folder).as_posix()}?v={_digest(path)}"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "vendor" not in path.relative_to(folder).parts
    }
    bought = {name: f"{PREFIX}/{path}?v=1" for name, path in (vendored or vendored_files()).items()}
    return MappingProxyType(own | bought)


def sprite_icons() -> frozenset[str]:
    """Names of the icons in the sprite; an app's definitions may name others, which then look like a plain sheet."""
    sprite = FOLDER / vendored_files()[SPRITE]
    return frozenset(SYMBOL.findall(sprite.read_text("utf-8")))


class KeptFiles(StaticFiles):
    """Static files; an address that carries its version is kept for good, any other is asked for again."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file with its ``Cache-Control``."""
        response = await super().get_response(path, scope)
        versioned = scope.get("query_string", b"").startswith(b"v=")
        response.headers["Cache-Control"] = KEPT_FOR_GOOD if versioned else ASKED_AGAIN
        return response


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_LENGTH]
