"""What is wrong is told in one line on standard error, with exit status 255."""

from tests.cli.command_line import CommandLine

MISTAKES = [
    ("cluster info", "Cluster id missing"),
    ("cluster delete", "Cluster id missing"),
    ("cluster setflags", "Cluster id missing"),
    ("cluster setflags 00", "At least one of --file or --block must be specified."),
    ("cluster setflags 00 --file=maybe", "Id not found"),
    ("node add", "Missing zone"),
    ("node add --zone=1", "Missing management hostname"),
    ("node add --zone=1 --management-host-name=m", "Missing storage hostname"),
    ("node add --zone=1 --management-host-name=m --storage-host-name=s", "Missing cluster id"),
    (
        "node add --zone=1 --management-host-name=m --storage-host-name=s --cluster=x",
        "validation failed: cluster: x is not a valid UUID.",
    ),
    ("node info", "Node id missing"),
    ("node delete", "Node id missing"),
    ("node enable", "Node id missing"),
    ("node disable", "Node id missing"),
    ("node remove", "Node id missing"),
    ("device add", "Missing device name"),
    ("device add --name=/dev/sdb", "Missing node id"),
    ("device info", "Device id missing"),
    ("device delete", "Device id missing"),
    ("device remove", "Device id missing"),
    ("device remove --expert-option-disable-heal-check", "Device id missing"),
    ("device enable", "device id missing"),
    ("device disable", "device id missing"),
    ("device resync", "object/cluster id missing"),
    ("volume create", "Missing volume size"),
    ("volume create --size=0", "Missing volume size"),
    ("volume create --size=-1", "validation failed: size: must be no less than 1."),
    ("volume create --size=1 --name=a/b", "validation failed: name: must be in a valid format."),
    ("volume create --size=1 --durability=raid", "Unknown durability type"),
    ("volume create --size=1 --replica=4", "Invalid replica value"),
    ("volume create --size=1 --gid=-1", "Bad group id less than zero"),
    ("volume create --size=1 --snapshot-factor=101", "Invalid snapshot factor"),
    ("volume create --size=1 --snapshot-factor=inf", "json: unsupported value: +Inf"),
    ("volume create --size=1 --snapshot-factor=1e300", "json: unsupported value: +Inf"),
    ("volume info", "Volume id missing"),
    ("volume delete", "Volume id missing"),
    ("volume expand", "Missing volume amount to expand"),
    ("volume expand 00", "Missing volume amount to expand"),
    ("volume expand --expand-size=1", "Missing volume id"),
    ("volume expand 00 --expand-size=1", "Id not found"),
    ("volume expand 00 --expand-size=-1", "validation failed: expand_size: must be no less than 1."),
    ("volume endpoint patch", "Volume id missing"),
    ("volume info xyz", "Invalid path or request"),
    ("volume info 00", "Id not found"),
]


async def test_mistakes(cli: CommandLine) -> None:
    found = [(line, (await cli.error(*line.split())).splitlines()[0]) for line, _ in MISTAKES]
    assert found == [(line, f"Error: {text}") for line, text in MISTAKES]


async def test_an_unset_variable_is_no_id(cli: CommandLine) -> None:
    for words, text in (
        (("volume", "info", ""), "Volume id missing"),
        (("volume", "delete", ""), "Volume id missing"),
        (("cluster", "info", ""), "Cluster id missing"),
        (("node", "info", ""), "Node id missing"),
        (("volume", "endpoint", "patch", ""), "Volume id missing"),
    ):
        assert await cli.error(*words) == f"Error: {text}\n"
