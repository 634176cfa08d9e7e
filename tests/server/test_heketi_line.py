"""The command line of the program `heketi`."""

import pytest

from heketipy.server.heketi_line import HeketiLine, WrongLineError, parse


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], HeketiLine()),
        (["--config=f"], HeketiLine(config="f")),
        (["--config", "f", "--disable-auth"], HeketiLine(config="f", disable_auth=True)),
        (["--disable-auth=false", "--config", "-x"], HeketiLine(config="-x")),
        (["--config="], HeketiLine()),
        (["--config=a", "--config=b"], HeketiLine(config="b")),
        (["-v"], HeketiLine(version=True)),
        (["-vh"], HeketiLine(version=True, help=True)),
        (["--version", "--config=f"], HeketiLine(version=True, config="f")),
        (["surplus", "--help"], HeketiLine(help=True)),
    ],
)
def test_flags_are_read_as_heketi_reads_them(arguments: list[str], line: HeketiLine) -> None:
    assert parse(arguments) == line


@pytest.mark.parametrize(
    ("arguments", "text", "hint"),
    [
        (["--bogus"], "unknown flag: --bogus", False),
        (["--bogus=1"], "unknown flag: --bogus", False),
        (["-x"], "unknown shorthand flag: 'x' in -x", False),
        (["--config"], "flag needs an argument: --config", False),
        (["---x"], "bad flag syntax: ---x", False),
        (["--config=f", "extra"], 'unknown command "extra" for "heketi"', True),
        (["--", "serve"], 'unknown command "serve" for "heketi"', True),
        (
            ["--disable-auth=maybe"],
            'invalid argument "maybe" for "--disable-auth" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
            False,
        ),
    ],
)
def test_mistakes_are_told_in_heketis_words(arguments: list[str], text: str, hint: bool) -> None:
    with pytest.raises(WrongLineError) as caught:
        parse(arguments)
    assert str(caught.value) == text
    assert caught.value.usage_hint is hint
