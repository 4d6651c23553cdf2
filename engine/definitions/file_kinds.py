"""Which folder holds which kind of definition. The folder says the kind, the file name says the key."""

from __future__ import annotations

from dataclasses import dataclass

from engine.definitions.app import AppDef
from engine.definitions.calendar import CalendarDef
from engine.definitions.form import FormDef
from engine.definitions.posting import PostingDef
from engine.definitions.role import RoleDef
from engine.definitions.rule import RuleDef
from engine.definitions.shape import Definition
from engine.definitions.story import StoryDef
from engine.definitions.voucher import VoucherDef
from engine.definitions.workflow import WorkflowDef

APP_FILE = "app.yaml"
SUFFIX = ".yaml"


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of definition: the folder it lies in, the top key that names it, and its model."""

    folder: str
    key: str
    model: type[Definition]

    def file(self, key: str) -> str:
        """Path of the definition ``key``."""
        return f"{self.folder}/{key}{SUFFIX}" if self.folder else APP_FILE


APP = FileKind("", "app", AppDef)
FORMS = FileKind("forms", "form", FormDef)
WORKFLOWS = FileKind("workflows", "workflow", WorkflowDef)
POSTINGS = FileKind("postings", "posting", PostingDef)
RULES = FileKind("rules", "rule", RuleDef)
ROLES = FileKind("roles", "role", RoleDef)
VOUCHERS = FileKind("vouchers", "voucher", VoucherDef)
CALENDARS = FileKind("calendars", "calendar", CalendarDef)
STORIES = FileKind("tests", "story", StoryDef)
FILE_KINDS = (APP, FORMS, WORKFLOWS, POSTINGS, RULES, ROLES, VOUCHERS, CALENDARS, STORIES)


def kind_of(path: str) -> FileKind | None:
    """The kind of the definition at ``path``, or None when no definition lies there."""
    if path == APP_FILE:
        return APP
    folder, slash, name = path.rpartition("/")
    if not slash or not name.endswith(SUFFIX):
        return None
    return next((kind for kind in FILE_KINDS if kind.folder == folder), None)
