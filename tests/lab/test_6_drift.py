"""Drift on real nodes: what nobody knows is found, put into quarantine, and released again."""

import traces
from conftest import Site

STRAY = "0ddba110ddba110ddba110ddba110ddb"
DRIFT = "/internal/state/drift"


def test_what_nobody_knows_goes_into_quarantine_and_out_again(clean: Site) -> None:
    assert clean.service.get(DRIFT) == {"findings": [], "unseen": []}
    before = traces.on_all(clean.nodes)
    node_id = clean.node_ids[0]
    machine, group = clean.machine(node_id), f"vg_{clean.devices[node_id][0]}"
    point, device = f"/var/lib/heketi/mounts/{group}/brick_{STRAY}", f"/dev/mapper/{group}-brick_{STRAY}"
    machine.ssh(
        f"mkdir -p {point} && lvcreate -qq --poolmetadatasize 8M --size 512M --thin {group}/tp_{STRAY}"
        f" --virtualsize 512M --name brick_{STRAY} && mkfs.xfs -q {device} && mount -o nouuid {device} {point}"
        f" && echo '{device} {point} xfs nouuid 1 2' >>/etc/fstab"
    )
    kinds = {finding["kind"] for finding in clean.service.get(DRIFT)["findings"]}
    assert kinds == {"orphan-lv", "orphan-mount", "orphan-fstab-line", "orphan-folder"}
    job = clean.service.do("POST", f"{DRIFT}/clean-up", {"dry_run": False})
    assert job.ok, f"{job.error}\n{clean.service.log_tail()}"
    (kept,) = clean.service.get(DRIFT)["findings"]
    assert kept["kind"] == "quarantined"
    assert point not in machine.out("mount; cat /etc/fstab")
    job = clean.service.do("POST", f"{DRIFT}/release", {"findings": [kept["id"]]})
    assert job.ok, f"{job.error}\n{clean.service.log_tail()}"
    (orphan,) = clean.service.get(DRIFT)["findings"]
    assert (orphan["kind"], orphan["name"]) == ("orphan-lv", f"brick_{STRAY}")
    machine.ssh(f"lvremove -f {group}/brick_{STRAY} && lvremove -f {group}/tp_{STRAY}")
    assert traces.changes(clean.nodes, before) == [{}, {}, {}]
