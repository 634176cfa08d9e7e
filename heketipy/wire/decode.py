"""Reading a body into a pydantic model by heketi's rules instead of pydantic's.

Names match in any case and unknown ones are skipped; of repeated members the last wins, and objects and maps
merge; `null` leaves a member as it is; a value of another type than the model's is an error: nothing is
converted. Integers are plain literals of 64 bits, floats are rounded to 32 bits. Bounds and forms that a
model declares are *not* checked here: they document what the model's own `check()` refuses in heketi's words.
"""

import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from math import isfinite
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from heketipy.domain.errors import InvalidRequest
from heketipy.wire.float32 import to_float32
from heketipy.wire.json_text import NotJsonError, Number, Object, Value, parse

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)

Model = TypeVar("Model", bound=BaseModel)
_Read = Callable[[Value, Any, str], Any]
"""Turns a JSON value, and what an earlier member of the same name gave, into a value. The text is the path,
for errors.
"""


class Undecodable(InvalidRequest):
    """A body that is no JSON, or whose values are of other types than they must be."""

    code = "undecodable"

    def __init__(self, text: str = "request unable to be parsed") -> None:
        super().__init__(text)


class WrongTypeError(ValueError):
    """A value of a wrong type. `where` is its path (`nodes[0].zone`), `needed` says what belongs there."""

    def __init__(self, where: str, needed: str, found: Value) -> None:
        super().__init__(f"{where or 'the whole'}: {needed} is needed here, not {name_of(found)}")
        self.where = where
        self.needed = needed
        self.found = found


def decode(model: type[Model], body: bytes) -> Model:
    """Read a request's body. Raises Undecodable with heketi's text."""
    try:
        return read(model, parse(body))
    except (NotJsonError, WrongTypeError) as error:
        raise Undecodable from error


def read(model: type[Model], value: Value) -> Model:
    """Turn a JSON value into a model; `null` is the empty object. Raises WrongTypeError."""
    result: Model = _model_reader(model)(value, None, "")
    return result if result is not None else empty(model)


def empty(model: type[Model]) -> Model:
    """Return the model with nothing said: what an absent body or `null` means."""
    return model.model_construct(**{name: default() for name, default in _defaults(model).items()})


def name_of(value: Value) -> str:
    """Say in a few words what a JSON value is."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f"the text {value!r}" if len(value) <= 40 else "a text"
        case Number():
            return f"the number {value.text}" if len(value.text) <= 40 else "a number"
        case Object():
            return "an object"
        case list():
            return "a list"


def _fold(name: str) -> str:
    """Bring names together that differ in case only; U+017F is another small `s` and has itself as lower
    case.
    """
    return name.lower().replace("\u017f", "s")


@cache
def _defaults(model: type[BaseModel]) -> Mapping[str, Callable[[], Any]]:
    """Return what makes the default of each member. pydantic would look at the signature of each factory anew, for
    each body: that took longer than everything else that is done to one.
    """
    return {name: _default(field) for name, field in model.model_fields.items() if not field.is_required()}


def _default(field: FieldInfo) -> Callable[[], Any]:
    factory: Any = field.default_factory
    if isinstance(factory, type) and issubclass(factory, BaseModel):
        return lambda: empty(factory)
    return factory if factory is not None else lambda: field.get_default()


@cache
def _model_reader(model: type[BaseModel]) -> _Read:
    """Return a reader of one model. It keeps plain values while members come, and builds the model at the
    end.
    """
    readers: dict[str, tuple[str, _Read]] = {}
    for name, field in model.model_fields.items():
        readers[_fold(field.alias or name)] = (name, _reader(field.annotation))
    defaults = _defaults(model)

    def read_model(value: Value, earlier: Any, where: str) -> Any:
        if value is None:
            return earlier
        if not isinstance(value, Object):
            raise WrongTypeError(where, "an object", value)
        values: dict[str, Any] = dict(earlier.__dict__) if earlier is not None else {}
        for key, item in value.members:
            if (known := readers.get(_fold(key))) is None:
                continue
            name, reader = known
            result = reader(item, values.get(name), f"{where}.{key}" if where else key)
            if result is not None:
                values[name] = result
        missing = {name: default() for name, default in defaults.items() if name not in values}
        return model.model_construct(**values, **missing)

    return read_model


def _reader(annotation: Any) -> _Read:
    """Choose the reader for a member's type. Models use few types on purpose; another one is a programming
    error.
    """
    origin = get_origin(annotation)
    if origin is Annotated:
        return _reader(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        choices = get_args(annotation)
        return _reader(choices[0]) if choices[1:] == (types.NoneType,) else _union(choices)
    if origin is list:
        return _list(_reader(get_args(annotation)[0]), get_args(annotation)[0])
    if origin is dict:
        return _map
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _model_reader(annotation)
    return _SCALARS[annotation]


def _bool(value: Value, earlier: Any, where: str) -> Any:
    if value is None:
        return earlier
    if not isinstance(value, bool):
        raise WrongTypeError(where, "true or false", value)
    return value


def _int(value: Value, earlier: Any, where: str) -> Any:
    if value is None:
        return earlier
    if isinstance(value, Number) and not set(value.text) & set(".eE") and len(value.text) <= 20:
        number = int(value.text)
        if INT64_MIN <= number <= INT64_MAX:
            return number
    raise WrongTypeError(where, "a whole number of 64 bits", value)


def _float(value: Value, earlier: Any, where: str) -> Any:
    if value is None:
        return earlier
    if isinstance(value, Number):
        number = float(value.text)
        with suppress(OverflowError):
            if isfinite(number):
                return to_float32(number)
    raise WrongTypeError(where, "a number of 32 bits", value)


def _str(value: Value, earlier: Any, where: str) -> Any:
    if value is None:
        return earlier
    if not isinstance(value, str):
        raise WrongTypeError(where, "a text", value)
    return value


def _list(item: _Read, annotation: Any) -> _Read:
    zero: Any = "" if annotation is str else None

    def read_list(value: Value, earlier: Any, where: str) -> Any:
        if value is None:
            return earlier
        if not isinstance(value, list):
            raise WrongTypeError(where, "a list", value)
        result = []
        for index, element in enumerate(value):
            place = f"{where}[{index}]"
            if (got := item(element, zero, place)) is None:
                raise WrongTypeError(place, "something", element)
            result.append(got)
        return result

    return read_list


def _map(value: Value, earlier: Any, where: str) -> Any:
    """Read a map of texts. A `null` among the values is the empty text."""
    if value is None:
        return earlier
    if not isinstance(value, Object):
        raise WrongTypeError(where, "an object", value)
    result = dict(earlier or {})
    for key, item in value.members:
        result[key] = _str(item, "", f"{where}.{key}")
    return result


def _union(choices: tuple[Any, ...]) -> _Read:
    """Read a text or an object, whichever comes: the two forms of a device in a topology file."""
    models = [choice for choice in choices if isinstance(choice, type) and issubclass(choice, BaseModel)]
    read_object = _model_reader(models[0])

    def read_union(value: Value, earlier: Any, where: str) -> Any:
        if value is None or isinstance(value, str):
            return _str(value, earlier, where)
        if not isinstance(value, Object):
            raise WrongTypeError(where, "a text or an object", value)
        return read_object(value, earlier, where)

    return read_union


_SCALARS: dict[Any, _Read] = {bool: _bool, int: _int, float: _float, str: _str}
