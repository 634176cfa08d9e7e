"""Which texts are JSON, and what is read out of them."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heketipy.wire.json_text import MAX_DEPTH, NotJsonError, Number, Object, Value, _quickly, _value, parse

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: st.lists(children) | st.dictionaries(st.text(string.printable), children),
    max_leaves=30,
)


def plain(value: Value) -> Any:
    """Turn what was read into what the standard library reads."""
    match value:
        case Object():
            return {name: plain(item) for name, item in value.members}
        case list():
            return [plain(item) for item in value]
        case Number():
            return json.loads(value.text)
    return value


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_what_the_standard_library_writes_is_read_alike(value: Any, indent: Any, ascii: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii)
    assert plain(parse(text)) == json.loads(text)
    assert plain(parse(f" \n{text}\r\t".encode())) == json.loads(text)


@given(VALUES, st.sampled_from([None, 1]))
def test_the_quick_way_and_the_long_way_read_the_same(value: Any, indent: Any) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False) + " "
    assert _quickly(text) in (None, _value(text))


@given(st.text(st.sampled_from('{}[]:,"\\ut0123456789abcdef.eE+-truefalsnl \n\x00'), max_size=30))
def test_what_is_no_json_for_the_standard_library_is_none_here(text: str) -> None:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        expected = json.loads(text, parse_constant=refuse)
    except ValueError:
        with pytest.raises(NotJsonError):
            parse(text)
    else:
        # Lone surrogates are replaced here.
        assert plain(parse(text)) == json.loads(json.dumps(expected).encode(), strict=True) or "\\ud" in text.lower()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "{",
            "[1",
            "[1,]",
            '{"a"}',
            '{"a":}',
            '{"a":1,}',
            "{a:1}",
            "{'a':1}",
            "{} {}",
            "[1 2]",
            "{,}",
            "[,]",
        ),
        *("01", "+1", "1.", ".5", "1e", "-", "NaN", "Infinity", "-Infinity", "tru", "nul", "True", "\u0661"),
        *('"a', '"\\x"', '"\\u12"', '"\t"', "\ufeff{}", "]", "}", '{"a":1]', "[1}", "\u00a01"),
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(NotJsonError):
        parse(text)


def test_members_keep_their_order_and_repetitions() -> None:
    assert parse('{"b":1,"a":2,"b":null}') == Object([("b", Number("1")), ("a", Number("2")), ("b", None)])


def test_numbers_stay_as_they_were_written() -> None:
    assert parse("[1.0,1e3,-0,123456789012345678901234567890]") == [
        Number("1.0"),
        Number("1e3"),
        Number("-0"),
        Number("123456789012345678901234567890"),
    ]


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b'"\xff"', "\ufffd"),
        (b'"\xe2\x82"', "\ufffd\ufffd"),
        (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd"),
        (b'"a\xc3"', "a\ufffd"),
        (b'"\xc3\xa4"', "ä"),
        (b'"\\ud800"', "\ufffd"),
        (b'"\\udc00x"', "\ufffdx"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\ud800\\ud83d\\ude00"', "\ufffd😀"),
        (b'"\\u0000\\/"', "\x00/"),
    ],
)
def test_what_is_no_character_becomes_a_replacement(body: bytes, read: str) -> None:
    assert parse(body) == read


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_ten_thousand_levels_are_read_and_one_more_is_refused(opening: str) -> None:
    levels = opening.count("[") + opening.count("{")
    closing = "".join({"[": "]", "{": "}"}[c] for c in reversed(opening) if c in "[{")
    for extra in (0, 1):
        times = MAX_DEPTH // levels
        text = "[" * extra + opening * times + "0" + closing * times + "]" * extra
        if extra:
            with pytest.raises(NotJsonError):
                parse(text)
        else:
            parse(text)


def test_a_million_levels_crash_nothing() -> None:
    for text in ("[" * 1_000_000, '{"a":' * 1_000_000):
        with pytest.raises(NotJsonError):
            parse(text)


def test_what_follows_the_first_value_may_be_allowed() -> None:
    assert parse("{} and more", allow_more=True) == Object([])
    with pytest.raises(NotJsonError, match="after the value at character 3"):
        parse("{} and more")
