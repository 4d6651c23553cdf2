"""The addresses of pages, in one place: ``/w/<workspace>/<app>/…``.

A form's key takes the place of a page's name, so a form cannot be called like one of those
(engine/definitions/pages.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses inside one app of one workspace."""

    workspace: str
    app: str

    @property
    def root(self) -> str:
        """The workspace itself."""
        return f"/w/{quote(self.workspace, safe='')}"

    @property
    def login(self) -> str:
        """Where people sign in."""
        return f"{self.root}/{LOGIN}"

    @property
    def home(self) -> str:
        """The first page after signing in."""
        return f"{self.root}/{quote(self.app, safe='')}/home"

    def page(self, *parts: object, **query: Any) -> str:
        """``page('stock', search='水')``; empty query values are left out, tuples repeat their name."""
        path = "/".join((self.root, quote(self.app, safe=""), *(quote(str(part), safe="") for part in parts)))
        given = {name.rstrip("_"): value for name, value in query.items() if value not in (None, "", (), [])}
        return f"{path}?{urlencode(given, doseq=True)}" if given else path

    def list(self, form: str, **query: Any) -> str:
        """The list of ``form``."""
        return self.page(form, **query)

    def new(self, form: str, **query: Any) -> str:
        """A new record of ``form``."""
        return self.page(form, "new", **query)

    def record(self, form: str, document: int, **query: Any) -> str:
        """One record."""
        return self.page(form, document, **query)


def within(address: str | None, workspace: str) -> str | None:
    """``address`` if it is a path inside ``workspace``, else None: a return path never leads elsewhere."""
    root = f"/w/{quote(workspace, safe='')}/"
    inside = bool(address) and str(address).startswith(root) and "\\" not in str(address) and str(address).isprintable()
    return address if inside else None
