"""The names of built-in pages: a form's key takes the place of such a name in an address, so no form may be called so.

The web side serves these names (``/w/<workspace>/<app>/<name>``); a test holds the two together.
"""

from __future__ import annotations

# Pages inside an app, and what stands beside the apps of a workspace.
PAGES = frozenset(
    {
        *("home", "menu", "scan", "search", "lookup", "look-up", "stock", "entries", "movements", "trace", "health"),
        *("closing", "ageing", "statement", "vouchers", "balances", "tasks", "messages", "toasts", "import", "files"),
        *("settings", "flows", "me"),
    }
)
PLACES = frozenset({"login", "logout", "files", "settings"})
