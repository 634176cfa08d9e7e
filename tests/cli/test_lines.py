"""How a command line is read: the rules of cobra and pflag that heketi-cli's users rely on, odd ones included."""

import pytest

from heketipy.cli.line import WrongLineError, read
from heketipy.cli.main import ROOT
from tests.cli.command_line import CommandLine

CREATE = ("heketi-cli", "volume", "create")


@pytest.mark.parametrize(
    "line",
    [
        "volume create --size=5 --name=v",
        "volume create --size 5 --name v",
        "volume --size=5 create --name=v",
        "--size=5 --name=v volume create",
        "--size 5 volume --name v create",
        "--name v --size 5 volume create",
        "volume create --size=99 --name=v --size=5",
        "volume create --size=0x5 --name=v",
        "volume create --size=+05 --name=v",
        "volume create --size=0b101 --name=v --",
        "volume create surplus --size=5 words --name=v",
    ],
)
def test_flags_stand_anywhere(line: str) -> None:
    read_line = read(ROOT, line.split())
    assert read_line.path == CREATE
    assert (read_line.flags["size"], read_line.flags["name"]) == (5, "v")


def test_words_behind_two_dashes_are_arguments() -> None:
    line = read(ROOT, ["volume", "info", "--json", "--", "--user=x", "-s"])
    assert line.arguments == ("--user=x", "-s")
    assert (line.flags["json"], line.flags["user"]) == (True, "")


@pytest.mark.parametrize(
    ("words", "server"),
    [
        (["-s", "a"], "a"),
        (["-sa"], "a"),
        (["-s=a"], "a"),
        (["-s="], "="),
        (["--server", "a"], "a"),
        (["--server=a=b"], "a=b"),
        (["--server="], ""),
        (["-Isa"], "a"),
        (["-size=1"], "ize=1"),
        (["--server", "--json"], "--json"),
        (["--server=a", "-s", "b"], "b"),
    ],
)
def test_flags_with_a_short_form(words: list[str], server: str) -> None:
    assert read(ROOT, ["volume", "list", *words]).flags["server"] == server


@pytest.mark.parametrize("word", ["1", "t", "T", "TRUE", "true", "True"])
def test_a_truth_value_stands_behind_an_equals_sign(word: str) -> None:
    assert read(ROOT, ["volume", "create", f"--block={word}"]).flags["block"] is True
    line = read(ROOT, ["volume", "create", "--block", "false"])
    assert (line.flags["block"], line.arguments) == (True, ("false",))


def test_files_of_certificates_add_up() -> None:
    assert read(ROOT, ["volume", "list", "-C", "a,b", "--tls-cert=c"]).flags["tls_cert"] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("volume list --bogus", "unknown flag: --bogus"),
        ("volume list --bogus=1", "unknown flag: --bogus"),
        ("volume list -x", "unknown shorthand flag: 'x' in -x"),
        ("volume list -Ix", "unknown shorthand flag: 'x' in -x"),
        ("volume list --version", "unknown flag: --version"),
        ("volume list -v", "unknown shorthand flag: 'v' in -v"),
        ("volume list --serv=a", "unknown flag: --serv"),
        ("volume create --name", "flag needs an argument: --name"),
        ("volume create -s", "flag needs an argument: 's' in -s"),
        ("volume create ---json", "bad flag syntax: ---json"),
        ("volume create --=a", "bad flag syntax: --=a"),
        (
            "volume create --size=abc",
            'invalid argument "abc" for "--size" flag: strconv.ParseInt: parsing "abc": invalid syntax',
        ),
        (
            "volume create --size=08",
            'invalid argument "08" for "--size" flag: strconv.ParseInt: parsing "08": invalid syntax',
        ),
        (
            "volume create --size= --size=5",
            'invalid argument "" for "--size" flag: strconv.ParseInt: parsing "": invalid syntax',
        ),
        (
            "volume create --size=99999999999999999999",
            (
                'invalid argument "99999999999999999999" for "--size" flag: '
                'strconv.ParseInt: parsing "99999999999999999999": value out of range'
            ),
        ),
        (
            "volume create --block=zork",
            'invalid argument "zork" for "--block" flag: strconv.ParseBool: parsing "zork": invalid syntax',
        ),
        (
            "volume create --snapshot-factor=x",
            'invalid argument "x" for "--snapshot-factor" flag: strconv.ParseFloat: parsing "x": invalid syntax',
        ),
        (
            "volume create -I=maybe",
            (
                'invalid argument "maybe" for "-I, --insecure-tls" flag: '
                'strconv.ParseBool: parsing "maybe": invalid syntax'
            ),
        ),
    ],
)
def test_what_cannot_be_read_is_told_as_heketi_cli_tells_it(line: str, wrong: str) -> None:
    with pytest.raises(WrongLineError) as caught:
        read(ROOT, line.split())
    assert str(caught.value) == wrong


@pytest.mark.parametrize(
    ("line", "word", "suggestions"),
    [
        ("bogus", "bogus", []),
        ("blockvolume list", "blockvolume", []),
        ("db dump", "db", []),
        ("Volum list", "Volum", ["volume"]),
        ("VOLUME list", "VOLUME", ["volume"]),
        ("top", "top", ["topology"]),
        ("nod", "nod", ["node"]),
        ("--block volume create", "create", []),
        ("-Is URL volume list", "URL", []),
        ("bogus --help", "bogus", []),
    ],
)
async def test_an_unknown_command_is_an_error_with_suggestions(
    alone: CommandLine, line: str, word: str, suggestions: list[str]
) -> None:
    near = "".join(f"\t{name}\n" for name in suggestions)
    hint = f"\nDid you mean this?\n{near}\n" if near else ""
    wanted = f'Error: unknown command "{word}" for "heketi-cli"\n{hint}Run \'heketi-cli --help\' for usage.\n'
    assert await alone.error(*line.split()) == wanted


@pytest.mark.parametrize("line", ["", "--json", "-", "-- volume list", "--size 5"])
async def test_without_a_command_the_usage_goes_to_standard_error(alone: CommandLine, line: str) -> None:
    outcome = await alone(*line.split())
    if line == "--size 5":
        assert (outcome.err, outcome.status) == ("Error: unknown flag: --size\n", 255)
    else:
        assert (outcome.out, outcome.status) == ("", 0)
        assert outcome.err.startswith("Usage:\n  heketi-cli [flags]\n  heketi-cli [command]\n\nAvailable Commands:\n")


async def test_a_group_without_a_command_of_its_own_shows_its_help(alone: CommandLine) -> None:
    wanted = await alone.ok("volume")
    assert "Usage:\n  heketi-cli volume [command]\n" in wanted
    for line in ("volume bogus", "volume LIST", "volume help", "help volume", "help volume bogus", "volume -h"):
        assert await alone.ok(*line.split()) == wanted


async def test_help_beats_everything_but_what_cannot_be_read(alone: CommandLine) -> None:
    wanted = await alone.ok("help", "volume", "create")
    assert await alone.ok("volume", "create", "--help", "--server=foo") == wanted
    assert await alone.ok("-h", "volume", "create") == wanted
    assert await alone.error("volume", "create", "--help", "--bogus") == "Error: unknown flag: --bogus\n"


async def test_help_of_an_unknown_topic_is_the_usage(alone: CommandLine) -> None:
    outcome = await alone("help", "bogus", "more")
    assert (outcome.out, outcome.status) == ("", 0)
    assert outcome.err.startswith("Unknown help topic [`bogus` `more`]\nUsage:\n  heketi-cli [flags]\n")


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("cluster info", "heketi-cli cluster info [cluster_id] [flags]"),
        ("cluster setflags", "heketi-cli cluster setflags [flags]"),
        ("node list", "heketi-cli node list all nodes [flags]"),
        ("node remove", "heketi-cli node remove [node_id] [flags]"),
        ("device info", "heketi-cli device info [device_id] [flags]"),
        ("device resync", "heketi-cli device resync [object_id] [flags]"),
        ("volume info", "heketi-cli volume info [flags]"),
        ("help", "heketi-cli help [command] [flags]"),
    ],
)
async def test_usage_lines_name_the_arguments(alone: CommandLine, command: str, usage: str) -> None:
    assert f"Usage:\n  {usage}\n" in await alone.ok(*command.split(), "--help")


async def test_the_help_of_a_command_lists_its_flags(alone: CommandLine) -> None:
    text = await alone.ok("topology", "load", "-h")
    assert "\nFlags:\n  -h, --help          help for load\n  -j, --json string   " in text
    assert "--json" not in text.partition("Global Flags:")[2]
    assert '      --durability string                   none, replicate or disperse (default "replicate")\n' in (
        await alone.ok("volume", "create", "-h")
    )


async def test_the_version_is_shown_by_the_root_alone(alone: CommandLine) -> None:
    assert (await alone.ok("--version")).startswith("heketi-cli ")
    assert await alone.ok("-v", "--json") == await alone.ok("--version")
