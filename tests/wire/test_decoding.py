"""How bodies are read into models: names, types, repetitions, nulls."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from heketipy.wire.decode import Undecodable, decode
from heketipy.wire.float32 import to_float32


class Inner(BaseModel):
    number: int = 0
    more: int = 0


class Outer(BaseModel):
    flag: bool = False
    number: int = 0
    factor: float = 0.0
    text: str = ""
    size: int = 0
    items: list[str] = Field(default_factory=list)
    tags: dict[str, str] = Field(default_factory=dict)
    inner: Inner = Field(default_factory=Inner)
    inners: list[Inner] = Field(default_factory=list)


def read(body: str | bytes) -> dict[str, Any]:
    """Return what was said in a body: the members that are not at their defaults."""
    nothing = Outer().model_dump()
    given = decode(Outer, body if isinstance(body, bytes) else body.encode()).model_dump()
    return {name: value for name, value in given.items() if value != nothing[name]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("null", {}),
        ("{}", {}),
        ('{"unknown":{"a":[1e999,-123456789012345678901]},"x":1}', {}),
        ('{"FLAG":true,"Number":7}', {"flag": True, "number": 7}),
        ('{"\u017fize":7}', {"size": 7}),
        ('{"flag":true,"FLAG":false}', {}),
        ('{"number":1,"number":2}', {"number": 2}),
        ('{"number":1,"number":null}', {"number": 1}),
        ('{"flag":null,"number":null,"text":null,"items":null,"tags":null,"inner":null,"factor":null}', {}),
        ('{"number":-0}', {}),
        ('{"number":9223372036854775807}', {"number": 2**63 - 1}),
        ('{"number":-9223372036854775808}', {"number": -(2**63)}),
        ('{"factor":1.1}', {"factor": to_float32(1.1)}),
        ('{"factor":1}', {"factor": 1.0}),
        ('{"factor":0.99999999999}', {"factor": 1.0}),
        ('{"factor":1e-400}', {}),
        ('{"items":["a",null]}', {"items": ["a", ""]}),
        ('{"items":["a","b"],"items":["c"]}', {"items": ["c"]}),
        ('{"tags":{"a":"1","b":"2"},"tags":{"b":null,"c":"3"}}', {"tags": {"a": "1", "b": "", "c": "3"}}),
        ('{"tags":{"A":"1","a":"2"}}', {"tags": {"A": "1", "a": "2"}}),
        ('{"inner":{"number":1},"INNER":{"more":2}}', {"inner": {"number": 1, "more": 2}}),
        ('{"inner":{"number":1},"inner":null}', {"inner": {"number": 1, "more": 0}}),
        ('{"inners":[{"number":1},{}]}', {"inners": [{"number": 1, "more": 0}, {"number": 0, "more": 0}]}),
        (b'{"text":"\xff"}', {"text": "\ufffd"}),
    ],
)
def test_leniency(body: str | bytes, expected: dict[str, Any]) -> None:
    assert read(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        '"x"',
        "5",
        "true",
        '{"flag":1}',
        '{"flag":"true"}',
        '{"number":"1"}',
        '{"number":1.0}',
        '{"number":1e3}',
        '{"number":true}',
        '{"number":9223372036854775808}',
        '{"number":-9223372036854775809}',
        '{"number":' + "9" * 5000 + "}",
        '{"factor":"1"}',
        '{"factor":1e39}',
        '{"factor":3.5e38}',
        '{"factor":-1e400}',
        '{"text":1}',
        '{"text":["a"]}',
        '{"items":"a"}',
        '{"items":{"a":1}}',
        '{"items":[1]}',
        '{"tags":[]}',
        '{"tags":{"a":1}}',
        '{"inner":[]}',
        '{"inner":1}',
        '{"inners":[null]}',
        '{"number":null,"number":"x"}',
    ],
)
def test_what_has_a_wrong_type_cannot_be_decoded(body: str) -> None:
    with pytest.raises(Undecodable, match="request unable to be parsed"):
        read(body)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_of_32_bits_arrives_as_it_is(number: float) -> None:
    assert decode(Outer, json.dumps({"factor": number}).encode()).factor == number


@given(st.binary(max_size=50))
def test_no_body_does_anything_but_decode_or_fail(body: bytes) -> None:
    with suppress(Undecodable):
        decode(Outer, body)
