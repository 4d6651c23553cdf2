"""Signatures by hand: pictures among the files, named in the approval log by a number.

The number of a file is read off the beginning of its id, which nobody chose: 60 of its 128 bits fit a whole number of
both databases, and two files of one workspace never share them.
"""

from __future__ import annotations

import sqlalchemy as sa

from runtime.storage.process_tables import approval_log
from runtime.storage.product_tables import file

DIGITS = 15
HEXADECIMAL = 16


def number_of(file_id: str) -> int:
    """The number of a file."""
    return int(file_id[:DIGITS], HEXADECIMAL)


def file_of(connection: sa.Connection, number: int) -> str | None:
    """Id of the file with this number, or None."""
    begins = f"{number:0{DIGITS}x}"
    query = sa.select(file.c.id).where(file.c.id >= begins, file.c.id < f"{begins}g")
    found = connection.execute(query).scalars().all()
    return found[0] if len(found) == 1 else None


def signatures_in_use(connection: sa.Connection) -> set[str]:
    """Ids of the files the approval log names; they are kept like those a record refers to."""
    numbers = set(
        connection.execute(sa.select(approval_log.c.signature).where(approval_log.c.signature.is_not(None))).scalars()
    )
    ids = connection.execute(sa.select(file.c.id)).scalars() if numbers else ()
    return {file_id for file_id in ids if number_of(file_id) in numbers}
