"""Texts that would let a shell run something, and a way to see whether one did."""

from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Final

FORMS: Final = (
    "$({})",
    "`{}`",
    ";{};",
    "|{}",
    "&&{}",
    "||{}",
    "&{}&",
    "\n{}\n",
    "\r\n{}\r\n",
    "';{};'",
    "'$({})'",
    '";{};"',
    '"`{}`"',
    "\\';{};\\'",
    '\\";{};\\"',
    "\\\n;{}",
    "#\n{}\n",
    "-x;{};",
    "--;{};",
    "*;{};",
    "[a-z]?;{};",
    "~;{};",
    "'\"$({})\"'",
    "\n}}\n{}\n",
    "\nEOF\n{}\n",
)
"""Around a command: it is run if a shell reads the text as it is, between single, or between double quotes."""


class Canaries:
    """Texts, each with a command of its own, which leaves a file. The command is short, as some texts must be."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left = folder / "left"
        self._left.mkdir(parents=True)
        self._numbers = count()
        self._texts: dict[str, str] = {}

    def install(self, bin: Path) -> None:
        """Put the command into a folder on the PATH of a shell."""
        command = bin / "canary"
        command.write_text(f'#!/bin/sh\n: >"{self._left}/$1"\n')
        command.chmod(0o755)

    def texts(self, *, blanks: bool = True) -> Iterator[str]:
        """Make a text of each form; without blanks for what is split at them."""
        for form in FORMS:
            if blanks or not set(form) & set(" \r\n"):
                yield self.text(form, blanks=blanks)

    def text(self, form: str, *, blanks: bool = True) -> str:
        """Make a text of one form."""
        number = str(next(self._numbers))
        text = form.format(f"canary {number}" if blanks else f"canary${{IFS}}{number}")
        self._texts[number] = text
        return text

    @property
    def run(self) -> Mapping[str, str]:
        """The texts that a shell has run something of, by their numbers."""
        numbers = [path.name.strip() for path in self._left.iterdir()]
        return {number: self._texts[number] for number in numbers}
