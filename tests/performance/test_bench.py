"""The bench works: nothing is said here about how fast anything is."""

import json
from pathlib import Path

from bench import books
from bench.figures import OURS, THEIRS, Figures, Row, against, at_least
from bench.http import Connection
from bench.process import Program, running
from bench.scenarios import Run, sites
from bench.site import walk
from heketipy.db.database import Database


async def test_a_site_is_loaded_used_and_filled(tmp_path: Path) -> None:
    run = Run(figures=Figures(), folder=tmp_path, seconds=0.2, sizes=[(3, 1)], full=False)
    await sites(run, Program.ours())
    assert (run.figures.value("creates at 3 × 8", OURS) or run.figures.value("creates at 3 × 1", OURS) or 0) > 0
    assert (run.figures.value("refusals on a full 3 × 1, while creates run", OURS) or 0) > 0
    run.figures.write(tmp_path / "bench.json")
    written = json.loads((tmp_path / "bench.json").read_text())
    assert {row["name"] for row in written["figures"]} == set(run.figures.rows)
    assert len(run.figures.table().splitlines()) == 1 + len(run.figures.rows)


async def test_filled_books_are_served(tmp_path: Path) -> None:
    path = tmp_path / "full.db"
    await books.fill(path, clusters=2, nodes=3, devices=1, volumes=20)
    with running(Program.ours(), tmp_path, {}, database=path) as server:
        connection = Connection(server.port)
        assert len((await connection.get("/volumes"))["volumes"]) == 20
        assert await walk(connection) == 1 + 2 * (1 + 3) + 20
        connection.close()
        assert 0 < server.usage().memory_mib <= server.usage().peak_mib
    db = Database.open(path)
    assert await db.read(lambda tx: tx.operations.all()) == []
    db.close()


def test_a_goal_is_judged_by_the_median_and_only_where_there_is_something_to_judge_by() -> None:
    figures = Figures()
    rate = Row("rate", "1/s", "≥ 10", at_least(10))
    ratio = Row("seconds", "s", "≤ 0.5 of heketi's", against("seconds", THEIRS, 0.5, better="less"))
    for value in (9, 11, 30):
        figures.add(rate, OURS, value)
    figures.add(ratio, OURS, 4)
    assert figures.value("rate", OURS) == 11
    assert [line.split()[-1] for line in figures.table().splitlines()[1:]] == ["met", "heketi's"]
    figures.add(ratio, THEIRS, 7)
    assert figures.table().splitlines()[2].endswith("missed")
