"""``email``: one e-mail address; the domain is kept in lower case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel

from engine.fieldtypes.textual import TextualField
from engine.fieldtypes.words import half_width, shown
from engine.problems import Problem, problem

LONGEST = 254
LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
ADDRESS = re.compile(f"{LOCAL}@{DOMAIN}")


class Email(TextualField):
    """邮箱."""

    name: ClassVar[str] = "email"
    widget: ClassVar[str] = "email"

    def longest(self, options: BaseModel) -> int:
        return LONGEST

    def tidy(self, text: str, options: BaseModel) -> str | Problem:
        address = half_width(text).removeprefix("mailto:")
        if len(address) > LONGEST or not ADDRESS.fullmatch(address) or address.index("@") > 64:
            return problem("field.not_an_email", value=shown(text))
        local, _, domain = address.partition("@")
        return f"{local}@{domain.lower()}"

    def json_schema(self, options: BaseModel) -> Mapping[str, object]:
        return {**super().json_schema(options), "pattern": f"^{LOCAL}@{DOMAIN}$"}
