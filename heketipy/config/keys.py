"""The keys of the model, as files and environment name them: paths, variables, defaults."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from heketipy.config.settings import OURS
from heketipy.config.variables import Variable


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: `path` is where it stands in the file."""

    path: tuple[str, ...]
    field: FieldInfo

    @property
    def name(self) -> str:
        """Its dotted name."""
        return ".".join(self.path)

    @property
    def variable(self) -> Variable | None:
        """The environment variable that overrides it."""
        return next((item for item in self.field.metadata if isinstance(item, Variable)), None)

    @property
    def ours(self) -> bool:
        """Whether heketi does not have it."""
        return OURS in self.field.metadata

    @property
    def default(self) -> Any:
        """Its value when nothing is set."""
        return self.field.get_default(call_default_factory=True)


def group_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model of a nested group, or None if the field is a setting."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def item_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model of the items of a list, or None if the field is none of groups."""
    items = get_args(field.annotation) if get_origin(field.annotation) is list else ()
    return items[0] if items and issubclass(items[0], BaseModel) else None


def keys(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[Key]:
    """Walk all settings of a model, in the order in which they are written."""
    for name, field in model.model_fields.items():
        path = (*above, name)
        if (group := group_of(field)) is not None:
            yield from keys(group, path)
        else:
            yield Key(path, field)
