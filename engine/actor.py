"""Who is asking. Every load and every write takes an ``Actor``; there is no call without one.

``AUTOMATION_ROLE`` is the role follow-up documents, schedules and rule effects act in: an ordinary role whose grants
are written down like any other, not a switch that skips checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.labels import Language

AUTOMATION_ROLE = "automation"
ADMIN_ROLE = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The person (or the automation) behind a request.

    Attributes:
        user: account id; 0 is the automation.
        name: shown in history and approval logs.
        roles: keys of the app roles held.
        department: department id, or None.
        departments: the department and all below it; what the row scope ``department`` admits.
        language: ``zh`` or ``en``.
        attributes: what ``me.<name>`` means in expressions beyond id, name and department (for example ``warehouse``).
    """

    user: int
    name: str
    roles: frozenset[str]
    department: int | None = None
    departments: frozenset[int] = frozenset()
    language: Language = "zh"
    attributes: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


def automation(name: str = "自动") -> Actor:
    """The actor of follow-up documents and rule effects."""
    return Actor(user=0, name=name, roles=frozenset({AUTOMATION_ROLE}))
