"""What was measured, for the table at the end of a run and for the file `figures.json` of the lab's folder."""

from dataclasses import dataclass, field


@dataclass
class Figures:
    """Measured values in the order in which they came; several of one name are listed together."""

    rows: list[tuple[str, float, str]] = field(default_factory=list)

    def add(self, name: str, value: float, unit: str = "s") -> None:
        """Note one value."""
        self.rows.append((name, value, unit))

    def table(self) -> list[str]:
        """One line a name."""
        named: dict[tuple[str, str], list[float]] = {}
        for name, value, unit in self.rows:
            named.setdefault((name, unit), []).append(value)
        width = max((len(name) for name, _ in named), default=0)
        return [
            f"{name:<{width}}  {', '.join(f'{value:.1f}' for value in values)} {unit}"
            for (name, unit), values in named.items()
        ]
