"""``image``: pictures a browser can show. SVG is not among them: it can carry scripts."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from engine.fieldtypes.files import Extension, FileOptions, FilesField
from engine.labels import Label


class ImageOptions(FileOptions):
    """Options of ``image``: as for ``attachment``, with the usual picture formats."""

    accept: tuple[Extension, ...] = ("jpg", "jpeg", "png", "webp", "gif")


class Image(FilesField):
    """图片."""

    name: ClassVar[str] = "image"
    options: ClassVar[type[BaseModel]] = ImageOptions
    widget: ClassVar[str] = "image"
    counted: ClassVar[tuple[Label, Label]] = (Label(zh="张图片", en="image"), Label(zh="张图片", en="images"))
