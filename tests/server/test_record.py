"""What ran on the nodes is written down where that is asked for."""

import json
from pathlib import Path

from heketipy.config import ExecutorName, GlusterSettings
from heketipy.db.database import Database
from heketipy.domain.model import NodeAddress
from heketipy.server.nodes import reach_nodes


async def test_every_batch_is_in_the_record_at_once(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    db = Database.open(str(tmp_path / "heketi.db"))
    nodes = await reach_nodes(GlusterSettings(record_file=str(record)), ExecutorName.SIMULATOR, db)
    await nodes.storage.check(NodeAddress("id", "10.0.0.1", "10.0.0.1"))
    (line,) = record.read_text().splitlines()
    assert json.loads(line)["commands"][0]["argv"] == ["systemctl", "status", "glusterd"]
    await nodes.close()
    db.close()
