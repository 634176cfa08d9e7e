"""The table of all settings, in Markdown, made from the model: `python -m heketipy.config.table`.

The README holds a copy between two markers; a test compares them.
"""

import re
import sys
import types
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import SecretStr

from heketipy.config.keys import Key, keys
from heketipy.config.settings import Settings

BEGIN = "<!-- settings: made by `make settings-table`, do not edit -->"
END = "<!-- /settings -->"


def settings_table() -> str:
    """Return the table. The keys that `sshexec` and `kubeexec` share stand once."""
    rows = ["| setting | type | default | environment | what it does |", "|---|---|---|---|---|"]
    rows += [_row(name, key) for name, key in _shared()]
    return "\n".join(rows) + "\n"


def with_table(document: str) -> str:
    """Return a document with the table between its markers renewed. Raises ValueError without markers."""
    pattern = re.compile(re.escape(BEGIN) + r"\n.*?" + re.escape(END), re.DOTALL)
    renewed, count = pattern.subn(lambda _: f"{BEGIN}\n{settings_table()}{END}", document)
    if count != 1:
        raise ValueError(f"the document needs the markers {BEGIN} and {END}, once")
    return renewed


def _shared() -> list[tuple[str, Key]]:
    found = {key.path: key for key in keys(Settings)}
    rows = []
    for path, key in found.items():
        twin = found.get(("glusterfs", "kubeexec", path[-1])) if path[:2] == ("glusterfs", "sshexec") else None
        if twin is not None:
            rows.append((f"glusterfs.sshexec.{path[-1]}, glusterfs.kubeexec.{path[-1]}", key))
        elif path[:2] != ("glusterfs", "kubeexec") or ("glusterfs", "sshexec", path[-1]) not in found:
            rows.append((key.name, key))
    return rows


def _row(name: str, key: Key) -> str:
    names = ", ".join(f"`{part}`" for part in name.split(", "))
    mark = " ✚" if key.ours else ""
    variable = f"`{key.variable.name}`" if key.variable else ""
    text = (key.field.description or "").replace("|", "\\|")
    return f"| {names}{mark} | {_kind(key.field.annotation)} | {_default(key.default)} | {variable} | {text} |"


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(f"`{choice}`" for choice in get_args(annotation))
    if isinstance(annotation, types.GenericAlias):
        return "list of objects"
    return {str: "text", SecretStr: "text", bool: "true/false", int: "whole number", float: "number"}[annotation]


def _default(value: object) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case SecretStr() | "":
            return ""
        case float():
            return f"`{value:g}`"
        case []:
            return ""
        case _:
            return f"`{value}`"


def main() -> None:
    """Print the table, or renew it in the document that is named."""
    match sys.argv[1:]:
        case []:
            sys.stdout.write(settings_table())
        case [name]:
            path = Path(name)
            path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
        case _:
            sys.exit("usage: python -m heketipy.config.table [DOCUMENT]")


if __name__ == "__main__":
    main()
