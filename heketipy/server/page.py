"""What the demo prints: with colours on a terminal, as plain lines elsewhere."""

import sys
from typing import Protocol


class _Printer(Protocol):
    def __call__(self, text: str, style: str) -> None: ...


class Page:
    """Prints lines of a few kinds to standard output."""

    def __init__(self) -> None:
        self._print: _Printer = _styled() if sys.stdout.isatty() else _plain

    def banner(self, text: str) -> None:
        """Print what nobody may overlook."""
        self._print(text.rstrip("\n"), "bold yellow")

    def title(self, text: str) -> None:
        """Print the title of a chapter."""
        self._print(f"\n{text}", "bold")

    def subtitle(self, text: str) -> None:
        """Print what a few lines are about."""
        self._print(f"\n{text}", "cyan")

    def text(self, text: str) -> None:
        """Print a line."""
        self._print(text, "")

    def command(self, text: str) -> None:
        """Print a command."""
        self._print(f"  {text}", "dim")


def _plain(text: str, style: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _styled() -> _Printer:
    from rich.console import Console

    console = Console(highlight=False, markup=False, soft_wrap=True)

    def printed(text: str, style: str) -> None:
        console.print(text, style=style or None)

    return printed
