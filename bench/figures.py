"""What was measured: one line a row of the goals, a column a server, the ratio, the goal; and the same as JSON."""

import json
import operator
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

OURS, THEIRS = "heketipy", "heketi"

Judge = Callable[["Figures", float], bool | None]
"""Tells whether a value of heketipy's reaches its goal; None where that cannot be told in this run."""


@dataclass(frozen=True, slots=True)
class Row:
    """Something that is measured: its name, its unit, the goal in words, and how that is judged."""

    name: str
    unit: str
    goal: str = ""
    judge: Judge | None = None


def at_least(value: float) -> Judge:
    """Judge by a number that is to be reached."""
    return lambda _, ours: ours >= value


def at_most(value: float) -> Judge:
    """Judge by a number that is not to be passed."""
    return lambda _, ours: ours <= value


def against(name: str, server: str, factor: float, *, better: str) -> Judge:
    """Judge by so much of another figure: `better` is "more" or "less"."""
    compare = operator.ge if better == "more" else operator.le

    def judge(figures: "Figures", ours: float) -> bool | None:
        other = figures.value(name, server)
        return None if other is None else bool(compare(ours, factor * other))

    return judge


@dataclass(slots=True)
class Figures:
    """All figures of a run. Several values of one row count by their median."""

    rows: dict[str, Row] = field(default_factory=dict)
    values: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    details: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def add(self, row: Row, server: str, value: float, details: Mapping[str, Any] | None = None) -> None:
        """Note a value, and print it: a run takes long, and may be interrupted."""
        self.rows.setdefault(row.name, row)
        self.values.setdefault((row.name, server), []).append(value)
        load = f"{os.getloadavg()[0]:.1f}"
        self.details.setdefault((row.name, server), {}).update(details or {}, load_average=load)
        told = "  ".join(f"{name} {number}" for name, number in self.details[row.name, server].items())
        print(f"{time.strftime('%H:%M:%S')}  {server:9} {row.name}: {_number(value)} {row.unit}   [{told}]", flush=True)

    def value(self, name: str, server: str) -> float | None:
        """Return the median of what was measured, or None."""
        values = self.values.get((name, server))
        return median(values) if values else None

    def table(self) -> str:
        """Return all of it, for a person."""
        lines = [("what", OURS, THEIRS, "ratio", "goal", "")]
        for row in self.rows.values():
            ours, theirs = self.value(row.name, OURS), self.value(row.name, THEIRS)
            ratio = f"{ours / theirs:.2f}" if ours is not None and theirs else ""
            lines.append((f"{row.name}, {row.unit}", _number(ours), _number(theirs), ratio, row.goal, self._met(row)))
        widths = [max(len(line[at]) for line in lines) for at in range(6)]
        numbers = (1, 2, 3)
        return "\n".join(
            "  ".join(
                f"{cell:>{widths[at]}}" if at in numbers else f"{cell:<{widths[at]}}" for at, cell in enumerate(line)
            )
            for line in lines
        )

    def write(self, path: Path) -> None:
        """Write all of it as JSON."""
        rows = [
            {
                "name": row.name,
                "unit": row.unit,
                "goal": row.goal,
                "met": self._met(row),
                "values": {server: self.values[name, server] for name, server in self.values if name == row.name},
                "details": {server: self.details[name, server] for name, server in self.details if name == row.name},
            }
            for row in self.rows.values()
        ]
        path.write_text(json.dumps({"load_average": os.getloadavg(), "figures": rows}, indent=1) + "\n")

    def _met(self, row: Row) -> str:
        ours = self.value(row.name, OURS)
        if row.judge is None or ours is None or (met := row.judge(self, ours)) is None:
            return ""
        return "met" if met else "missed"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"
