"""消息: what a person was told, by kind; read or not."""

from __future__ import annotations

from runtime.facade.door import Door
from runtime.facade.views import MessageView
from runtime.storage import messages
from runtime.storage.database import in_transaction
from runtime.storage.messages import Message

MOST_UNREAD = 100


def inbox_messages(
    door: Door, after: int | None = None, limit: int = 50, *, kind: str = "", unread: bool = False
) -> tuple[MessageView, ...]:
    """Messages to the person, newest first; ``kind``: only those. ``after``: last id of the page before."""
    with door.reading() as unit:
        rows = messages.of_user(unit.connection, door.actor.user, after, limit, unread_only=unread, kind=kind)
    return tuple(_view(door, row) for row in rows)


def open_message(door: Door, message: int) -> MessageView | None:
    """One message of the person, marked as read; None when it is not theirs."""
    with door.reading() as unit:
        row = messages.one(unit.connection, door.actor.user, message)
    if row is not None and row.read_at is None:
        mark_read(door, (message,))
    return None if row is None else _view(door, row)


def unread_count(door: Door) -> int:
    """How many messages have not been read, at most 100."""
    with door.reading() as unit:
        return messages.count_unread(unit.connection, door.actor.user, MOST_UNREAD)


def unread_by_kind(door: Door) -> dict[str, int]:
    """How many unread messages there are of each kind that has any."""
    with door.reading() as unit:
        return dict(messages.unread_by_kind(unit.connection, door.actor.user))


def mark_read(door: Door, ids: tuple[int, ...] | None = None, kind: str = "") -> int:
    """Mark messages of the person as read; without ``ids`` all of them, or all of a kind. Returns how many were not."""
    now = door.house.now()
    return in_transaction(
        door.workspace.database,
        lambda connection: messages.mark_read(connection, door.actor.user, now, ids, kind=kind),
    )


def _view(door: Door, row: Message) -> MessageView:
    return MessageView(
        id=row.id or 0,
        kind=row.kind,
        title=row.title.text(door.language),
        body=row.body.text(door.language),
        form=row.form,
        document=row.document,
        at=row.created_at,
        read=row.read_at is not None,
    )
