"""Builders and parsers against what heketi sends and what the real tools print."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.executors import daemon, disks, fstab, gluster, lvm, mounts, xfs
from heketipy.executors.gluster import Gluster, VolumeLayout
from heketipy.executors.lvm import Lvm
from heketipy.executors.options import NodeOptions

CASES = Path(__file__).parent / "cases"
TOOLS = ("lvm", "xfs", "fstab", "mounts", "gluster", "daemon", "disks")
JUDGEMENTS = {
    "lvm": (lvm.is_gone, lvm.is_group_gone, lvm.is_pv_gone, lvm.already_exists),
    "mounts": (mounts.is_unmounted,),
    "gluster": (
        gluster.is_busy,
        gluster.is_volume_missing,
        gluster.already_exists,
        gluster.is_brick_taken,
        gluster.already_started,
        gluster.not_started,
        gluster.not_a_peer,
        gluster.is_snapshot_there,
        gluster.is_snapshot_missing,
        gluster.already_activated,
        gluster.nothing_to_rebalance,
    ),
}


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(tool, case, id=f"{tool}-{case[kind]}-{number}")
        for tool in TOOLS
        for number, case in enumerate(json.loads((CASES / f"{tool}.json").read_text()))
        if kind in case
    ]


def builder(tool: str, call: str, options: NodeOptions) -> Any:
    match tool:
        case "lvm":
            return getattr(Lvm(options), call)
        case "gluster":
            return getattr(Gluster(options), call)
        case "xfs" if call == "mkfs":
            return lambda **arguments: xfs.mkfs(arguments["device"], arbiter=arguments["arbiter"], options=options)
    return getattr({"xfs": xfs, "fstab": fstab, "mounts": mounts, "daemon": daemon, "disks": disks}[tool], call)


def plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def read(case: dict[str, Any]) -> Any:
    text = case["stdout"]
    match case["read"]:
        case "pv":
            return lvm.read_pv(text)
        case "size":
            return lvm.read_size(text)
        case "paths":
            return lvm.read_paths(text, **case["arguments"])
        case "thin_count":
            return lvm.read_thin_count(text)
        case "lvs":
            return lvm.read_lvs(text)
        case "mounts":
            return [mount for mount in mounts.read(text) if plain(mount) in case["value"]]
        case "fstab":
            return fstab.read(text)
        case "tree":
            return disks.read_tree(text)
        case "signatures":
            return disks.read_signatures(text)
        case kind:
            reply = gluster.read_reply(text)
            assert reply.error == case["error_text"]
            return getattr(gluster, f"read_{kind}")(reply)


@pytest.mark.parametrize(("tool", "case"), cases("call"))
def test_a_builder_gives_the_argv_that_heketi_sends(tool: str, case: dict[str, Any]) -> None:
    build = builder(tool, case["call"], NodeOptions(**case["options"]))
    arguments = dict(case["arguments"])
    if case["call"] in {"lvcreate", "lvremove", "thin_count"}:
        built = build(arguments.pop("group"), **arguments)
    elif case["call"] == "mount":
        built = build(arguments["device"], arguments["point"], options=arguments["options"])
    else:
        built = build(**arguments)
    assert list(built) == case["argv"]


@pytest.mark.parametrize(("tool", "case"), cases("read"))
def test_a_parser_reads_what_the_real_tool_printed(tool: str, case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(ValueError, match=re.escape(case["error"])):
            read(case)
    else:
        assert plain(read(case)) == case["value"]


@pytest.mark.parametrize(("tool", "case"), cases("judge"))
def test_a_failure_is_judged_by_the_sentence_of_the_real_tool(tool: str, case: dict[str, Any]) -> None:
    true = [judge.__name__ for judge in JUDGEMENTS.get(tool, ()) if judge(case["stderr"])]
    assert true == case["true"]


@pytest.mark.parametrize(
    "case", json.loads((CASES / "layouts.json").read_text()), ids=lambda case: case["source"].replace(" ", "-")
)
def test_a_volume_is_made_by_the_commands_that_heketi_sends(case: dict[str, Any]) -> None:
    given = case["layout"]
    durability = given["durability"]
    layout = VolumeLayout(
        name=given["name"],
        id=given["id"],
        bricks=tuple((host, path) for host, path in given["bricks"]),
        durability=Durability(**{**durability, "type": DurabilityType(durability["type"])}),
        arbiter=given["arbiter"],
        options=tuple(given["options"]),
    )
    build = Gluster(NodeOptions(**case["options"]))
    rest = layout.bricks[layout.durability.set_size :]
    argvs = [
        build.volume_create(layout),
        *build.add_bricks(layout, rest),
        *build.set_options(layout),
        build.volume_start(layout.name),
    ]
    assert [list(argv) for argv in argvs] == case["argvs"]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("", ()),
        ("  ", ()),
        ("user.heketi.id X", ("user.heketi.id", "X")),
        (" client.ssl on", ("client.ssl", "on")),
        ("auth.allow 10.0.0.1, 10.0.0.2", ("auth.allow", "10.0.0.1, 10.0.0.2")),
        ("auth.allow '10.0.0.*'", ("auth.allow", "10.0.0.*")),
        ('a "b" "c"', ("a", '"b" "c"')),
        ("a $(reboot); b", ("a", "$(reboot); b")),
        ("performance.io-cache", ("performance.io-cache",)),
    ],
)
def test_an_option_is_one_key_and_one_value(option: str, words: tuple[str, ...]) -> None:
    assert gluster.option_words(option) == words


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "EOF"),
        ("Connection failed. Please check if gluster daemon is operational.\n", "EOF"),
        ("<cliOutput><opRet>0</opRet>", "XML syntax error"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><cliOutput>&x;</cliOutput>', "XML syntax error"),
        ("<cliOutput><opRet>x</opRet></cliOutput>", 'strconv.ParseInt: parsing "x": invalid syntax'),
    ],
)
def test_what_is_no_answer_of_gluster_is_refused(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        gluster.read_reply(text)


def test_a_failure_without_words_still_is_one() -> None:
    reply = gluster.read_reply("<cliOutput><opRet>-1</opRet><opErrno>30800</opErrno><opErrstr/></cliOutput>")
    assert reply.error == "gluster error 30800"


@pytest.mark.parametrize(
    ("field", "error"),
    [
        ("  vg_D:r/w:772", "vgdisplay returned an invalid string"),
        (
            "  v:r/w:772:-1:0:0:0:-1:0:1:1:104722432:4096:x:0:25567:u\n",
            'strconv.ParseUint: parsing "x": invalid syntax',
        ),
    ],
)
def test_an_odd_vgdisplay_is_refused_in_the_words_of_heketi(field: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        lvm.read_size(field)


@pytest.mark.parametrize("text", ["", "[]", '{"report": 1}', '{"report": []}', '{"report": [{"pv": [{}, {}]}]}'])
def test_a_report_that_names_no_single_disk_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expected exactly|Failed to parse output"):
        lvm.read_pv(text)


def test_space_is_taken_by_pools_with_their_metadata_by_plain_volumes_and_by_the_spare() -> None:
    rows = [
        ("[lvol0_pmspare]", "16384.00k", "", "linear"),
        ("brick_a", "2097152.00k", "", "thin"),
        ("home", "1048576.00k", "", "linear"),
        ("tp_a", "3145728.00k", "16384.00k", "thin-pool"),
        ("[tp_a_tdata]", "3145728.00k", "", "linear"),
        ("[tp_a_tmeta]", "16384.00k", "", "linear"),
    ]
    fields = ("lv_name", "lv_size", "lv_metadata_size", "segtype")
    report = {"report": [{"lv": [dict(zip(fields, row, strict=True)) for row in rows]}]}
    found = lvm.read_allocations(json.dumps(report))
    assert found.taken_kib == {"home": 1048576, "tp_a": 3145728 + 16384}
    assert found.spare_kib == 16384
    with pytest.raises(ValueError, match=r"no size in KiB: 2\.00g"):
        lvm.read_allocations(json.dumps({"report": [{"lv": [{"lv_name": "a", "lv_size": "2.00g"}]}]}))


@pytest.mark.parametrize(
    "text",
    [
        "sudo: /usr/sbin/lvm: command not found",
        "/bin/bash: line 1: lvm: command not found",
        "timeout: failed to run command 'lvm': No such file or directory",
    ],
)
def test_a_missing_program_does_not_prove_that_anything_is_gone(text: str) -> None:
    assert not lvm.is_gone(text)
    assert not lvm.is_pv_gone(text)
    assert not mounts.is_unmounted(text)
    assert not fstab.is_missing(text)
