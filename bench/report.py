"""The figures as tables of ``bench/README.md``, between its two marks; what stands outside them is written by hand."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.cases import Pair, Race
from bench.importing import Imported
from bench.scale import Scale

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
HEADING = "### "


@dataclass(slots=True, kw_only=True)
class Found:
    """Everything measured on one database."""

    database: str
    pairs: list[Pair] = field(default_factory=list)
    races: list[Race] = field(default_factory=list)
    rows: Mapping[str, int] = field(default_factory=dict)
    stages: Mapping[str, tuple[float, Mapping[str, float]]] = field(default_factory=dict)
    starts: list[tuple[float, float, float]] = field(default_factory=list)
    memory_mb: float = 0.0
    imported: Imported | None = None
    differences: int = 0
    scales: list[Scale] = field(default_factory=list)


def sections(found: Sequence[Found], effort: str, machine: str) -> Mapping[str, str]:
    """Database → its section of the report as Markdown, without its heading."""
    told = f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {effort}, {machine}."
    return {
        one.database: "\n\n".join([told, _pairs(one), _others(one), *([_stages(one)] if one.stages else [])])
        for one in found
    }


def joined(parts: Mapping[str, str]) -> str:
    """The sections under their headings."""
    return "\n\n".join(f"{HEADING}{name}\n\n{text}" for name, text in parts.items())


def machine() -> str:
    """What it ran on."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = names[0].partition(":")[2].strip() if names else platform.machine()
    load = Path("/proc/loadavg").read_text().split()[0]
    return f"{len(names)} cores ({model}), Python {platform.python_version()}, load {load} at the end"


def written(parts: Mapping[str, str]) -> None:
    """Put the sections between the marks of the README; those of databases that were not measured stay."""
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    kept, _, after = rest.partition(END)
    old = dict(one.split("\n", 1) for one in f"\n{kept}".split(f"\n{HEADING}")[1:])
    merged = {name: text.strip() for name, text in {**old, **parts}.items()}
    README.write_text(f"{before}{BEGIN}\n\n{joined(merged)}\n\n{END}{after}", "utf-8")


def _pairs(found: Found) -> str:
    rows = [
        "| Case | Clients | p50 / p95 ms | Floor p50 / p95 ms | Ratio | Target | CPU ms / floor | Per second / floor |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in found.pairs:
        met = "" if one.ratio <= one.target else " ✗"
        rows.append(
            f"| {one.case} | {one.clients} | {one.product.p50:.1f} / {one.product.quantile(0.95):.1f} | "
            f"{one.floor.p50:.1f} / {one.floor.quantile(0.95):.1f} | **{one.ratio:.2f}**{met} | ≤ {one.target:g} | "
            f"{one.product.cpu_ms:.1f} / {one.floor.cpu_ms:.1f} | {one.product.rate:.0f} / {one.floor.rate:.0f} |"
        )
    return "\n".join(rows)


def _others(found: Found) -> str:
    rows = ["| What | Measured | Target |", "| --- | --- | --- |"]
    if found.rows:
        listed = ", ".join(f"{number} × `{table}`" for table, number in found.rows.items())
        rows.append(f"| Rows one receipt adds, equal on both sides (balances are updated) | {listed} | equal |")
    for one in found.races:
        rows.append(
            f"| 8 clients race for the last {one.units} units with {one.tries} requests | {one.sold} sold, "
            f"{max(0, one.sold - one.units)} oversold, {one.refused} refused, {one.others} otherwise, "
            f"{one.left} left, {one.seconds:.1f} s | 0 oversold |"
        )
    if found.imported is not None:
        one_import = found.imported
        rows.append(
            f"| Import of {one_import.rows:,} products from Excel | {one_import.rate:,.0f} rows/s by the clock, "
            f"{one_import.cpu_rate:,.0f} by processor time | ≥ 2,000 rows/s |"
        )
    if found.starts:
        ready, page, memory = (sorted(each)[len(each) // 2] for each in zip(*found.starts, strict=True))
        rows.append(f"| Start to the first answer / the first page | {ready:.2f} s / {page:.2f} s | ≤ 2 s |")
        rows.append(f"| Memory after the start, job engine included | {memory:.0f} MB | ≤ 200 MB |")
    for one in found.scales:
        floor = "" if one.floor is None else f"; floor {one.floor:.2f} {one.unit}, ratio {one.measured / one.floor:.1f}"
        rows.append(f"| {one.what} | {one.measured:.2f} {one.unit}{floor} | {one.target} |")
    if found.memory_mb:
        rows.append(f"| Memory after all requests above | {found.memory_mb:.0f} MB | ≤ 200 MB |")
    rows.append(f"| `verify` with the first of the fillings | {found.differences} differences | 0 |")
    return "\n".join(rows)


def _stages(found: Found) -> str:
    names = list(next(iter(found.stages.values()))[1])
    rows = [
        "Where the time goes inside one submission, without HTTP (processor ms; shares by cProfile):",
        "",
        f"| Case | Whole | {' | '.join(names)} |",
        f"| --- | --- | {' | '.join('---' for _ in names)} |",
    ]
    for case, (whole, shares) in found.stages.items():
        cells = " | ".join(f"{whole * shares[name]:.1f}" for name in names)
        rows.append(f"| {case} | {whole:.1f} | {cells} |")
    return "\n".join(rows)
