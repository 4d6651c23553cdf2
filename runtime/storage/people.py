"""People as somebody writes to them: name, language and one of their preferences, in one question."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.labels import Language
from runtime.storage.product_tables import current, preference, snapshot, user


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Somebody who is told something; ``preference`` is None where nothing was chosen."""

    user: int
    name: str
    language: Language
    preference: Any


def told(connection: sa.Connection, users: Iterable[int], key: str) -> tuple[Told, ...]:
    """These people, with the preference ``key``, in order."""
    query = (
        sa.select(user.c.id, user.c.name, user.c.language, preference.c.value)
        .select_from(user.outerjoin(preference, sa.and_(preference.c.user == user.c.id, preference.c.key == key)))
        .where(user.c.id.in_(sorted(set(users))))
        .order_by(user.c.id)
    )
    return tuple(
        Told(user=row[0], name=row[1], language="en" if row[2] == "en" else "zh", preference=row[3])
        for row in connection.execute(query)
    )


def app_of(connection: sa.Connection, snapshot_hash: str) -> str:
    """The app a snapshot belongs to; without one the app that is published; empty where there is none."""
    found = connection.execute(sa.select(snapshot.c.app).where(snapshot.c.hash == snapshot_hash)).scalar_one_or_none()
    return str(found or connection.execute(sa.select(current.c.app).limit(1)).scalar_one_or_none() or "")
