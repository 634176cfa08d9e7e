"""`heketi db …` as a program: databases of heketi in and out."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.server_process import ServerProcess, configuration, finished

VECTORS = Path(__file__).parents[1] / "services" / "vectors" / "db"

PATHLESS = "failed to delete bricks with empty path"


def heketi(folder: Path, *words: str | Path) -> Any:
    return finished("heketi", "db", *words, cwd=folder)


def imported(folder: Path, name: str = "plain") -> Path:
    database = folder / "heketi.db"
    done = heketi(folder, "import", "--jsonfile", VECTORS / f"{name}.json", "--dbfile", database)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"DB imported to {database}\n")
    return database


def same(left: str, right: str) -> bool:
    """Compare two exports, but for their generations."""
    dumps = [json.loads(text) for text in (left, right)]
    generations = {dump["dbattributeentries"].pop("DB_GENERATION_ID")["Value"] for dump in dumps}
    return dumps[0] == dumps[1] and len(generations) == 2


def test_what_was_imported_is_exported_to_a_file_or_to_standard_output(tmp_path: Path) -> None:
    database, file = imported(tmp_path), tmp_path / "out.json"
    assert database.stat().st_mode & 0o777 == 0o600
    done = heketi(tmp_path, "export", f"--dbfile={database}", f"--jsonfile={file}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"DB exported to {file}\n")
    assert file.stat().st_mode & 0o777 == 0o600
    assert same(file.read_text(), (VECTORS / "plain.json").read_text())
    done = heketi(tmp_path, "export", "--jsonfile", "-", "--dbfile", database, "--debug")
    assert done.returncode == 0
    assert done.stdout == file.read_text()


def test_an_export_of_a_large_option_is_the_same_by_either_program(tmp_path: Path) -> None:
    database = imported(tmp_path, "tags-zones")
    done = finished("heketipy", "db", "export", "--dbfile", database, "--jsonfile", "-", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (
        0,
        heketi(tmp_path, "export", "--dbfile", database, "--jsonfile", "-").stdout,
    )


@pytest.mark.parametrize(
    ("words", "status", "stderr"),
    [
        (["export"], 1, "Please provide file for input\n"),
        (["export", "--jsonfile", "x"], 1, "Please provide path for db file\n"),
        (["import"], 1, "Please provide file for input\n"),
        (["import", "--jsonfile=x"], 1, "Please provide path for db file\n"),
        (["consistency-check"], 1, "Please provide path for db file\n"),
        (
            ["export", "--jsonfile", "there.json", "--dbfile", "heketi.db"],
            1,
            "failed to dump db: Could not create json file: open there.json: file exists\n",
        ),
        (
            ["export", "--jsonfile", "new.json", "--dbfile", "absent.db"],
            1,
            "failed to dump db: Unable to open database: open absent.db: no such file or directory\n",
        ),
        (
            ["consistency-check", "--dbfile", "absent.db"],
            1,
            "failed to check db: Unable to open database: open absent.db: no such file or directory\n",
        ),
        (
            ["import", "--jsonfile", "absent.json", "--dbfile", "new.db"],
            1,
            "db creation failed: Could not open input file: open absent.json: no such file or directory\n",
        ),
        (
            ["import", "--jsonfile", "empty.json", "--dbfile", "there.json"],
            1,
            "db creation failed: Could not decode input file as JSON: EOF\n",
        ),
        (
            ["import", "--jsonfile", "cut.json", "--dbfile", "new.db"],
            1,
            "db creation failed: Could not decode input file as JSON: unexpected EOF\n",
        ),
        (
            ["import", "--jsonfile", "there.json", "--dbfile", "there.json"],
            1,
            "db creation failed: there.json file already exists\n",
        ),
        (
            ["import", "--jsonfile", "mirror.json", "--dbfile", "new.db"],
            1,
            "db creation failed: Not a known volume durability type: mirror\n",
        ),
        (
            ["delete-bricks-with-empty-path", "--dbfile", "absent.db"],
            1,
            "neither --all flag nor list of clusters/nodes/devices is given\n",
        ),
        (
            ["delete-bricks-with-empty-path", "--dbfile", "absent.db", "--nodes=zz,0"],
            1,
            f"{PATHLESS}: zz is not a valid UUID\n",
        ),
        (
            ["delete-bricks-with-empty-path", "--all", "--dbfile", "absent.db"],
            1,
            f"{PATHLESS}: Unable to open database: open absent.db: no such file or directory\n",
        ),
        (["export", "--bogus"], 255, "Error: unknown flag: --bogus\n"),
        (["export", "--dbfile"], 255, "Error: flag needs an argument: --dbfile\n"),
    ],
)
def test_what_is_wrong_is_told_in_heketis_words_and_nothing_is_left(
    tmp_path: Path, words: list[str], status: int, stderr: str
) -> None:
    (tmp_path / "there.json").write_text("{}")
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "cut.json").write_text('{"clusterentries": {')
    mirror = {"volumeentries": {"v": {"Info": {"id": "v", "durability": {"type": "mirror"}}}}}
    (tmp_path / "mirror.json").write_text(json.dumps(mirror))
    before = sorted(tmp_path.iterdir())
    done = heketi(tmp_path, *words)
    assert (done.returncode, done.stderr) == (status, stderr)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("words", [[], ["check"], ["zz", "--debug"], ["export", "--help"]])
def test_help_is_shown_where_nothing_is_to_be_done(tmp_path: Path, words: list[str]) -> None:
    done = heketi(tmp_path, *words)
    assert done.returncode == 0
    assert "consistency-check" in done.stdout


def test_a_database_is_checked(tmp_path: Path) -> None:
    done = heketi(tmp_path, "consistency-check", "--dbfile", imported(tmp_path))
    assert done.returncode == 0
    assert json.loads(done.stdout)["totalinconsistencies"] == 5


@pytest.mark.parametrize("where", ["--all", "--clusters", "--nodes", "--devices"])
def test_bricks_without_a_path_are_removed_where_somebody_says_so(tmp_path: Path, where: str) -> None:
    """Of two, one belongs to a volume and the other to none."""
    dump = json.loads((VECTORS / "plain.json").read_text())
    id, brick = next(iter(dump["brickentries"].items()))
    device = brick["Info"]["device"]
    brick["Info"]["path"] = ""
    stray = json.loads(json.dumps(brick))
    stray["Info"].update(id="0" * 31 + "1", volume="")
    dump["brickentries"][stray["Info"]["id"]] = stray
    dump["deviceentries"][device]["Bricks"].append(stray["Info"]["id"])
    storage = dump["deviceentries"][device]["Info"]["storage"]
    charge = brick["TpSize"] + brick["PoolMetadataSize"]
    storage["free"], storage["used"] = storage["free"] - charge, storage["used"] + charge
    (tmp_path / "odd.json").write_text(json.dumps(dump))
    heketi(tmp_path, "import", "--jsonfile", "odd.json", "--dbfile", "heketi.db")
    node = dump["deviceentries"][device]["NodeId"]
    ids = {"--devices": device, "--nodes": node, "--clusters": dump["nodeentries"][node]["Info"]["cluster"]}
    selected = [where] if where == "--all" else [where, ids[where]]
    done = heketi(tmp_path, "delete-bricks-with-empty-path", "--dbfile", "heketi.db", *selected)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "bricks with empty path removed \n")
    after = json.loads(heketi(tmp_path, "export", "--dbfile", "heketi.db", "--jsonfile", "-").stdout)
    assert dump["brickentries"].keys() - after["brickentries"].keys() == {id, stray["Info"]["id"]}
    assert not {id, stray["Info"]["id"]} & set(after["deviceentries"][device]["Bricks"])
    assert after["deviceentries"][device]["Info"]["storage"] == {
        "total": storage["total"],
        "free": storage["free"] + 2 * charge,
        "used": storage["used"] - 2 * charge,
    }


def test_bricks_are_not_removed_from_what_is_not_there(tmp_path: Path) -> None:
    imported(tmp_path)
    done = heketi(tmp_path, "delete-bricks-with-empty-path", "--dbfile", "heketi.db", "--devices", "0" * 32)
    assert (done.returncode, done.stderr) == (1, f"{PATHLESS}: Id not found\n")
    assert heketi(tmp_path, "delete-bricks-with-empty-path", "--dbfile", "heketi.db", "--all").returncode == 0
    assert same(
        (VECTORS / "plain.json").read_text(),
        heketi(tmp_path, *["export", "--dbfile", "heketi.db", "--jsonfile", "-"]).stdout,
    )


def test_a_database_that_a_server_holds_is_left_alone(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    with ServerProcess(["heketipy", "serve", "--config", config, "--disable-auth"], cwd=tmp_path) as server:
        server.url()
        done = heketi(tmp_path, "export", "--dbfile", "heketi.db", "--jsonfile", "out.json")
        assert done.returncode == 1
        assert done.stderr.startswith("failed to dump db: Unable to open database: timeout: ")
        assert not (tmp_path / "out.json").exists()
        refused = heketi(tmp_path, "import", "--dbfile", "heketi.db", "--jsonfile", VECTORS / "plain.json")
        assert refused.stderr == "db creation failed: heketi.db file already exists\n"
        server.end()


def test_a_server_serves_an_imported_database_and_its_dump_is_that_of_the_export(tmp_path: Path) -> None:
    imported(tmp_path, "block")
    command = ["heketipy", "serve", "--config", configuration(tmp_path), "--disable-auth"]
    with ServerProcess(command, cwd=tmp_path) as server, server.client() as http:
        served = http.get("/db/dump").text
        assert len(http.get("/blockvolumes").json()["blockvolumes"]) == 4
        server.end(signal.SIGTERM)
    exported = heketi(tmp_path, "export", "--dbfile", "heketi.db", "--jsonfile", "-")
    assert exported.stdout == served


def test_a_server_does_not_start_on_a_database_of_a_newer_heketi(tmp_path: Path) -> None:
    dump = json.loads((VECTORS / "plain.json").read_text())
    dump["dbattributeentries"]["DB_OF_TOMORROW"] = {"Key": "DB_OF_TOMORROW", "Value": "yes"}
    (tmp_path / "tomorrow.json").write_text(json.dumps(dump))
    heketi(tmp_path, "import", "--jsonfile", "tomorrow.json", "--dbfile", "heketi.db")
    done = finished("heketi", f"--config={configuration(tmp_path)}", "--disable-auth", cwd=tmp_path)
    assert done.returncode == 1
    assert "ERROR: Unable to start application: Unable to initialize db, unknown attributes are present" in done.stderr
