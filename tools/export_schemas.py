"""Write the JSON Schemas of the definition files: ``python -m tools.export_schemas``."""

from __future__ import annotations

import json
from pathlib import Path

from engine.built_in import built_in_kinds
from engine.definitions.schema_export import export

FOLDER = Path(__file__).parents[1] / "engine" / "definitions" / "schemas"


def texts() -> dict[str, str]:
    """File name → content."""
    return {
        f"{name}.schema.json": json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
        for name, schema in export(built_in_kinds()).items()
    }


def main() -> None:
    """Write every schema."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
