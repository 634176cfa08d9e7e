"""The simulator's state as JSON, and in a file that is written whole or not at all.

Fields that have their default are left out, so that a field may be added without a migration.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from heketipy.executors.simulator.state import State


def plain(value: Any) -> Any:
    """Return a value as what JSON knows."""
    if is_dataclass(value) and not isinstance(value, type):
        kept = {}
        for field in fields(value):
            content = getattr(value, field.name)
            if content != default_of(field):
                kept[field.name] = plain(content)
        return kept
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def default_of(field: Field[Any]) -> Any:
    """Return the default of a field; MISSING if it has none."""
    return field.default_factory() if field.default_factory is not MISSING else field.default


@cache
def hints_of(kind: type) -> Mapping[str, Any]:
    """Return the types of a dataclass' fields."""
    return get_type_hints(kind)


def restored(kind: Any, value: Any) -> Any:
    """Return what `plain` made of a value of some type as that value."""
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        inner = next(one for one in get_args(kind) if one is not type(None))
        return None if value is None else restored(inner, value)
    if origin in {dict, Mapping}:
        return {key: restored(get_args(kind)[1], item) for key, item in value.items()}
    if origin in {list, tuple}:
        return origin([restored(get_args(kind)[0], item) for item in value])
    if is_dataclass(kind):
        hints = hints_of(kind)  # type: ignore[arg-type]
        return kind(**{name: restored(hints[name], item) for name, item in value.items()})  # type: ignore[operator]
    return value


def dumped(state: State) -> str:
    """Return a state as JSON."""
    return json.dumps(plain(state), separators=(",", ":"))


def loaded(text: str) -> State:
    """Return the state that a JSON text holds."""
    state: State = restored(State, json.loads(text))
    return state


class StateFile:
    """A file that holds the state of a simulator."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> State | None:
        """Return the state in the file; None if there is no file."""
        if not self.path.exists():
            return None
        return loaded(self.path.read_text())

    def save(self, state: State) -> None:
        """Put a state into the file, in place of the former."""
        temporary = self.path.with_name(f"{self.path.name}.new")
        with temporary.open("w") as file:
            file.write(dumped(state))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)
