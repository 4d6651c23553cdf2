"""``long_text``: text of several lines, such as remarks or a reason."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from engine.fieldtypes.contract import NoOptions, Operator, Storage
from engine.fieldtypes.textual import TextualField


class LongTextOptions(NoOptions):
    """Options of ``long_text``: the most characters it keeps."""

    max_length: Annotated[int, Field(ge=1, le=200_000)] = 20_000


class LongText(TextualField):
    """多行文本."""

    name: ClassVar[str] = "long_text"
    options: ClassVar[type[BaseModel]] = LongTextOptions
    operators: ClassVar[tuple[Operator, ...]] = (Operator.CONTAINS, Operator.EMPTY, Operator.NOT_EMPTY)
    widget: ClassVar[str] = "long_text"
    storage: ClassVar[Storage] = Storage.LONG_TEXT
    multiline: ClassVar[bool] = True

    def longest(self, options: BaseModel) -> int:
        return LongTextOptions.of(options).max_length
