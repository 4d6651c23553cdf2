"""What every page is handed: the house behind it, the texts, the templates and the addresses of static files.

Built once by the composition root and never changed; a request finds it through `site_of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from jinja2 import Environment
from starlette.requests import HTTPConnection

from runtime.house import House
from runtime.messages.catalogue import Catalogue
from runtime.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The web side of one process.

    Attributes:
        static: file below ``static/`` → address with the hash of its content. icons: names in the sprite.
        secret: signs cookies. version: of the product, shown on the page 我的.
    """

    house: House
    settings: Settings
    catalogue: Catalogue
    templates: Environment
    static: Mapping[str, str]
    icons: frozenset[str]
    secret: bytes
    version: str


def site_of(request: HTTPConnection) -> Site:
    """The site that serves ``request``."""
    return cast("Site", request.app.state.site)
