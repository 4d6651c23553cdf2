"""``attachment``: files of any kind, such as contracts, delivery notes and certificates."""

from __future__ import annotations

from typing import ClassVar

from engine.fieldtypes.files import FilesField
from engine.labels import Label


class Attachment(FilesField):
    """附件."""

    name: ClassVar[str] = "attachment"
    widget: ClassVar[str] = "attachment"
    counted: ClassVar[tuple[Label, Label]] = (Label(zh="个文件", en="file"), Label(zh="个文件", en="files"))
