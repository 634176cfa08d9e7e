"""Indented JSON, as heketi's dumps have it."""

import json
from pathlib import Path
from typing import Any

import pytest

from heketipy.domain.consistency import Records, check
from heketipy.wire.dump import checked, dumped
from heketipy.wire.indented import indented

GOLDEN = Path(__file__).parent / "golden"


def sections(dump: dict[str, Any]) -> Any:
    return ((name, members.items()) for name, members in dump.items())


def test_a_dump_is_byte_for_byte_as_it_was_recorded() -> None:
    recorded = (GOLDEN / "dump.json").read_text()
    assert b"".join(dumped(sections(json.loads(recorded)))).decode() == recorded


def test_a_report_is_byte_for_byte_as_it_was_recorded() -> None:
    recorded = (GOLDEN / "check.json").read_text()
    records = Records.of(sections(json.loads((GOLDEN / "dump.json").read_text())))
    assert checked(check(records)).decode() == recorded


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ([], "[]"),
        (None, "null"),
        (True, "true"),
        (1.0, "1"),
        (1.100000023841858, "1.1"),
        ('a<b>&\u2028ä"\\\n', '"a\\u003cb\\u003e\\u0026\\u2028ä\\"\\\\\\n"'),
        ({"a": [1, {}]}, '{\n    "a": [\n        1,\n        {}\n    ]\n}'),
        ({'q"<': ()}, '{\n    "q\\"\\u003c": []\n}'),
    ],
)
def test_values_are_written_as_heketi_writes_them(value: object, text: str) -> None:
    assert indented(value) == text


def test_records_of_bricks_have_a_road_of_their_own_to_the_same_text() -> None:
    entries = json.loads((GOLDEN / "dump.json").read_text())["brickentries"]
    quick, plain = dumped([("brickentries", entries.items())]), dumped([("others", entries.items())])
    assert b"".join(quick) == b"".join(plain).replace(b"others", b"brickentries")
