"""Writes docs/reference.md: every command with its flags, every setting, every effect, every problem code.

The page is made from the code itself; a test compares it with a fresh one, so it cannot lie.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from engine.effects import CloseTask, CreateTask, Notify, StartDocument
from runtime.cli import command_modules, loaded_command
from runtime.settings import setting_helps

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reference.md"
MESSAGES = ROOT / "runtime" / "messages"


def reference() -> str:
    """The whole page."""
    return "\n".join((*_head(), *_commands(), *_settings(), *_effects(), *_problems())) + "\n"


def _head() -> Iterator[str]:
    yield "# 参考 Reference"
    yield ""
    yield "本页由 `python -m tools.reference` 从代码生成，测试会比对。This page is generated from the code."


def _commands() -> Iterator[str]:
    yield "\n## 命令 Commands"
    for name, module in command_modules().items():
        command: Any = loaded_command(name, module)
        inner = getattr(command, "commands", None)
        listed = [(name, command)] if inner is None else [(f"{name} {key}", inner[key]) for key in sorted(inner)]
        for title, one in listed:
            yield f"\n### `stockloom {title}`\n"
            yield _sentence(one.help or inspect.getdoc(one.callback) or "")
            rows = [row for parameter in one.params if (row := _parameter(parameter))]
            if rows:
                yield "\n| 参数 Parameter | 说明 Help |\n|---|---|"
                yield from rows


def _parameter(parameter: Any) -> str:
    if parameter.name == "help":
        return ""
    if parameter.param_type_name == "argument":
        return f"| `{parameter.name.upper()}` | {_cell(getattr(parameter, 'help', '') or '')} |"
    flags = ", ".join(f"`{flag}`" for flag in (*parameter.opts, *parameter.secondary_opts))
    return f"| {flags} | {_cell(parameter.help or '')} |"


def _settings() -> Iterator[str]:
    yield "\n## 设置 Settings\n"
    yield "| 变量 Variable | 默认 Default | 说明 Help |\n|---|---|---|"
    for one in setting_helps():
        yield f"| `{one.variable}` | {_cell(one.default)} | {_cell(one.zh)} {_cell(one.en)} |"


def _effects() -> Iterator[str]:
    yield "\n## 效果 Effects\n"
    yield "规则和流程可以请求的事情，写入发件箱，提交后执行。What a decision may ask for.\n"
    yield "| kind | 说明 Meaning |\n|---|---|"
    for effect in (CreateTask, CloseTask, Notify, StartDocument):
        yield f"| `{effect.kind}` | {_cell(_sentence(inspect.getdoc(effect) or ''))} |"


def _problems() -> Iterator[str]:
    yield "\n## 问题代码 Problem codes"
    for path in sorted((MESSAGES / "zh").glob("*.yaml")):
        if path.stem.startswith("ui_"):
            continue
        chinese = yaml.safe_load(path.read_text("utf-8"))
        english = yaml.safe_load((MESSAGES / "en" / path.name).read_text("utf-8"))
        yield f"\n### {path.stem}\n\n| 代码 Code | 中文 | English |\n|---|---|---|"
        for code in sorted(chinese):
            yield f"| `{code}` | {_cell(_text(chinese[code]))} | {_cell(_text(english[code]))} |"


def _text(entry: Any) -> str:
    return str(entry["text"]) if isinstance(entry, dict) else str(entry)


def _sentence(text: str) -> str:
    return re.sub(r"\s+", " ", text.split("\n\n")[0]).strip()


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
