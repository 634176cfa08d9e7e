"""How answers are written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heketipy.wire.encode import encode
from heketipy.wire.float32 import shortest, to_float32


def test_it_is_compact_in_the_order_given_with_one_line_feed() -> None:
    assert encode({"b": [1, {"a": True}], "a": None, "c": {}}) == b'{"b":[1,{"a":true}],"a":null,"c":{}}\n'


def test_what_html_would_read_is_escaped_and_all_else_plain() -> None:
    written = encode({"<&>": 'a<b>c&d\u2028\u2029\x00\n"\\/äß€😀\x7f'})
    assert written == (
        '{"\\u003c\\u0026\\u003e":"a\\u003cb\\u003ec\\u0026d\\u2028\\u2029\\u0000\\n\\"\\\\/äß€😀\x7f"}\n'.encode()
    )


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]))
    )
)
def test_what_is_written_is_read_again(value: dict[str, str]) -> None:
    assert json.loads(encode(value)) == value


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (1.0, b"1\n"),
        (1.1, b"1.1\n"),
        (33.333, b"33.333\n"),
        (1.00000001, b"1\n"),
        (1e2, b"100\n"),
        (1.5, b"1.5\n"),
        (99.99999, b"99.99999\n"),
        (0.1, b"0.1\n"),
    ],
)
def test_a_float_is_the_shortest_decimal_of_32_bits(number: float, written: bytes) -> None:
    assert encode(shortest(to_float32(number))) == written  # type: ignore[arg-type]


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_the_shortest_decimal_is_the_same_float(number: float) -> None:
    assert to_float32(float(repr(shortest(number)))) == number
