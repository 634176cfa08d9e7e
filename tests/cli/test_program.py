"""The program itself, against a server that is a process too."""

import json
import subprocess
from pathlib import Path

from tests.support.server_process import LIMIT, PROGRAMS, ServerProcess, configuration, environment, finished
from tests.support.signed import JWT, KEYS

TOP = {"jwt": JWT, "port": "0"}
NODES = [
    {"node": {"hostnames": {"manage": [f"n{i}"], "storage": [f"192.0.2.{i}"]}, "zone": i}, "devices": ["/dev/sdb"]}
    for i in (1, 2, 3)
]


def test_from_a_topology_file_to_a_volume_and_back(tmp_path: Path) -> None:
    (tmp_path / "site.json").write_text(json.dumps({"clusters": [{"nodes": NODES}]}))
    config = configuration(tmp_path, top=TOP)
    with ServerProcess(["heketipy", "serve", "--config", config], cwd=tmp_path) as server:
        access = {"HEKETI_CLI_SERVER": server.url(), "HEKETI_CLI_USER": "admin", "HEKETI_CLI_KEY": KEYS["admin"]}

        def heketi_cli(*words: str) -> str:
            done = finished("heketi-cli", *words, cwd=tmp_path, **access)
            assert (done.returncode, done.stderr) == (0, ""), done
            return done.stdout

        assert heketi_cli("topology", "load", "--json=site.json").count("... OK\n") == 3
        assert "... " not in heketi_cli("topology", "load", "--json", "site.json")
        text = heketi_cli("volume", "create", "--size=2", "--name=v")
        volume = text.partition("Volume Id: ")[2].partition("\n")[0]
        assert "Size: 5\n" in heketi_cli("volume", "expand", f"--volume={volume}", "--expand-size=3")
        assert f"\tId: {volume}\n" in heketi_cli("topology", "info")
        assert heketi_cli("volume", "delete", volume) == f"Volume {volume} deleted\n"

        failed = finished("heketi-cli", "volume", "info", volume, cwd=tmp_path, **access)
        assert (failed.returncode, failed.stdout, failed.stderr) == (255, "", "Error: Id not found\n")


def test_a_reader_that_has_gone_is_no_reason_to_complain(tmp_path: Path) -> None:
    reader = subprocess.Popen(
        [PROGRAMS / "heketi-cli", "help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    assert reader.stdout is not None
    reader.stdout.close()
    assert reader.stderr is not None
    assert reader.stderr.read() == ""
    reader.stderr.close()
    assert reader.wait(LIMIT) in (0, 141)
