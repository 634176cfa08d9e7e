"""The whole life of a claim, as Kubernetes' own plug-in lives it, for every kind of StorageClass."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import wire_rules
from claims import claim, delete, expand, gib, key_of, provision, volume_id
from conftest import Site
from in_tree_plugin import Manifest, Plugin, Result

pytestmark = pytest.mark.timeout(1800)  # the first build of the plug-in takes minutes on a busy machine

REPLICATE_3 = {"type": "replicate", "replicate": {"replica": 3}, "disperse": {}}
LONGEST_IDLE = 12.0  # seconds; far from the 90 of the client, and generous for a busy machine
Note = Callable[[Result], None]


@dataclass(frozen=True)
class Kind:
    """A StorageClass, a claim of it, and the volume that must come of it."""

    parameters: dict[str, str] = field(default_factory=dict)
    size: str = "2Gi"
    grown: str = "5Gi"
    durability: dict[str, Any] = field(default_factory=lambda: REPLICATE_3)
    options: list[str] = field(default_factory=list)
    bricks: int = 3
    gid: int = 2000
    factor: float = 1
    name: str = "vol_{id}"  # a regular expression
    endpoints: str = "glusterfs-dynamic-{uid}"
    cluster: str = ""  # "small": it must be this one
    claim_name: str = "data"


NONE = {"type": "none", "replicate": {}, "disperse": {}}
DISPERSE = {"type": "disperse", "replicate": {}, "disperse": {"data": 4, "redundancy": 2}}
UUID = "[0-9a-f-]{36}"

KINDS = {
    "no parameters": Kind(),
    "none": Kind({"volumetype": "none"}, durability=NONE, bricks=1),
    "replicate:2": Kind(
        {"volumetype": "replicate:2"}, durability={**REPLICATE_3, "replicate": {"replica": 2}}, bricks=2
    ),
    "replicate:3": Kind({"volumetype": "replicate:3"}),
    "disperse:4:2": Kind({"volumetype": "disperse:4:2"}, size="4Gi", grown="8Gi", durability=DISPERSE, bricks=6),
    "arbiter option": Kind(
        {"volumetype": "replicate:3", "volumeoptions": "user.heketi.arbiter true"},
        options=["user.heketi.arbiter true"],
    ),
    "name prefix": Kind({"volumenameprefix": "team"}, name=f"team_shop_data_{UUID}"),
    "options with blanks": Kind(
        {"volumeoptions": "client.ssl on, server.ssl on"}, options=["client.ssl on", "server.ssl on"]
    ),
    "gid range": Kind({"gidMin": "40000", "gidMax": "50000"}, gid=40000),
    "clusterid": Kind({"clusterid": "{small}"}, cluster="small"),
    "snapfactor": Kind({"snapfactor": "1.1"}, factor=1.1),
    # What else documents and users write.
    "bytes are rounded up": Kind(size="1500Mi", grown="2500Mi"),
    "replicate alone": Kind({"volumetype": "replicate"}),
    "replicate:0 is the server's default": Kind(
        {"volumetype": "replicate:0"}, durability={**REPLICATE_3, "replicate": {}}, bricks=2
    ),
    "endpoints prefix": Kind({"customepnameprefix": "gfs"}, endpoints="gfs-{uid}"),
    "empty values": Kind({"clusterid": "", "volumeoptions": "", "volumenameprefix": "", "snapfactor": ""}),
    "letter case of keys": Kind({"volumeType": "none", "GIDMIN": "3000"}, durability=NONE, bricks=1, gid=3000),
    "list of clusters with blanks": Kind({"clusterid": "{small}, {small}"}, cluster="small"),
    "empty items among options": Kind(
        {"volumeoptions": " client.ssl on,, server.ssl on ,"}, options=["client.ssl on", "server.ssl on"]
    ),
    "prefix and a claim with a dot": Kind(
        {"volumenameprefix": "team"}, name=f".*{UUID}", claim_name="data.of.the.shop"
    ),
    "prefix and the longest claim name": Kind({"volumenameprefix": "team"}, name=f".*{UUID}", claim_name="d" * 253),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_claim_lives_and_dies(site: Site, plugin: Plugin, kind: Kind, time_table: Note) -> None:
    parameters = {k: v.format(small=site.small, large=site.large) for k, v in kind.parameters.items()}
    wanted = claim(kind.claim_name, kind.size)

    born = plugin.run(site.objects(wanted, parameters), [provision(wanted)])
    time_table(born)
    assert born.errors == [], born.refusals()
    wire_rules.check(born)
    volume = site.server.rest.get(f"/volumes/{volume_id(born)}")
    check_volume(kind, volume, site)
    check_kubernetes(kind, born, volume, wanted)
    addresses = [a["ip"] for a in born.one("Endpoints")["subsets"][0]["addresses"]]
    assert addresses == site.server.rest.storage_addresses(volume["cluster"])

    grown = plugin.run(born.objects, [expand(wanted, kind.grown)])
    time_table(grown)
    assert grown.errors == [], grown.refusals()
    wire_rules.check(grown)
    check_growth(kind, volume, site.server.rest.get(f"/volumes/{volume['id']}"), grown)

    dead = plugin.run(grown.objects, [delete(wanted)])
    time_table(dead)
    assert dead.errors == [], dead.refusals()
    wire_rules.check(dead)
    assert site.server.rest.ask("GET", f"/volumes/{volume['id']}").status_code == 404
    assert dead.all("PersistentVolume") == []
    assert dead.all("Service") == []


def check_volume(kind: Kind, volume: Manifest, site: Site) -> None:
    assert volume["size"] == gib(kind.size)
    assert volume["durability"] == kind.durability
    assert volume["gid"] == kind.gid
    assert volume["snapshot"] == {"enable": True, "factor": kind.factor}
    assert [o.strip() for o in volume["glustervolumeoptions"] if o.strip()] == kind.options
    assert re.fullmatch(kind.name.replace("{id}", volume["id"]), volume["name"])
    assert volume["cluster"] in ({site.small} if kind.cluster == "small" else {site.small, site.large})
    sizes = sorted(brick["size"] for brick in volume["bricks"])
    assert len(sizes) == kind.bricks
    if "user.heketi.arbiter true" in kind.options:
        assert sizes[0] < sizes[1] == sizes[2]
    else:
        assert sizes[0] == sizes[-1]


def check_kubernetes(kind: Kind, result: Result, volume: Manifest, wanted: Manifest) -> None:
    """What Kubernetes stores for good."""
    uid, name, namespace = (wanted["metadata"][k] for k in ("uid", "name", "namespace"))
    endpoints_name = kind.endpoints.format(uid=uid)
    pv = result.one("PersistentVolume")
    assert pv["metadata"]["annotations"] == {
        "Description": "Gluster-Internal: Dynamically provisioned PV",
        "gluster.kubernetes.io/heketi-volume-id": volume["id"],
        "gluster.org/type": "file",
        "kubernetes.io/createdby": "heketi-dynamic-provisioner",
        "pv.beta.kubernetes.io/gid": str(kind.gid),
        "pv.kubernetes.io/provisioned-by": "kubernetes.io/glusterfs",
    }
    assert pv["spec"]["glusterfs"] == {
        "endpoints": endpoints_name,
        "endpointsNamespace": namespace,
        "path": volume["name"],
    }
    assert pv["spec"]["capacity"] == {"storage": f"{gib(kind.size)}Gi"}
    assert pv["spec"]["accessModes"] == ["ReadWriteMany"]
    assert pv["spec"]["mountOptions"] == ["log-level=WARNING"]
    label = {"gluster.kubernetes.io/provisioned-for-pvc": name if len(name) < 63 else uid}
    for made in (result.one("Endpoints"), result.one("Service")):
        assert made["metadata"]["name"] == endpoints_name
        assert made["metadata"]["namespace"] == namespace
        assert made["metadata"]["labels"] == label
    [subset] = result.one("Endpoints")["subsets"]
    assert subset["ports"] == [{"port": 1, "protocol": "TCP"}]
    assert result.one("Service")["spec"]["ports"] == [{"port": 1, "protocol": "TCP", "targetPort": 0}]


def check_growth(kind: Kind, before: Manifest, after: Manifest, result: Result) -> None:
    assert after["size"] == gib(kind.grown)
    assert result.steps[0].size == f"{gib(kind.grown)}Gi"
    assert result.one("PersistentVolume")["spec"]["capacity"] == {"storage": f"{gib(kind.grown)}Gi"}
    assert (after["id"], after["name"], after["gid"]) == (before["id"], before["name"], before["gid"])
    assert len(after["bricks"]) == 2 * len(before["bricks"])
    [posted] = [e.sent for e in result.exchanges if e.method == "POST"]
    assert posted == {"expand_size": gib(kind.grown) - gib(kind.size)}


def test_a_server_url_with_a_trailing_slash_works(site: Site, plugin: Plugin) -> None:
    """K17: the plug-in then asks for //volumes, and a redirect would turn its POST into a GET."""
    wanted = claim()
    objects = site.objects(wanted, {"resturl": f"{site.server.url}/"})
    result = plugin.run(objects, [provision(wanted), expand(wanted, "3Gi"), delete(wanted)])
    assert result.errors == [], result.refusals()
    assert {e.path for e in result.exchanges if e.method == "POST"} >= {"//volumes"}
    assert all(e.status != 301 for e in result.exchanges)


def test_a_volume_without_annotation_is_found_by_its_name(site: Site, plugin: Plugin) -> None:
    """K12: old releases stored no id, and take the volume's name without `vol_` for it."""
    wanted = claim()
    born = plugin.run(site.objects(wanted), [provision(wanted)])
    del born.one("PersistentVolume")["metadata"]["annotations"]["gluster.kubernetes.io/heketi-volume-id"]
    assert plugin.run(born.objects, [expand(wanted, "3Gi"), delete(wanted)]).errors == []


def test_a_volume_that_is_already_gone_counts_as_deleted(site: Site, plugin: Plugin) -> None:
    """K5: the text of the 404 says so, and nothing else does."""
    wanted = claim()
    born = plugin.run(site.objects(wanted), [provision(wanted)])
    site.server.rest.do("DELETE", f"/volumes/{volume_id(born)}")
    grown = plugin.run(born.objects, [expand(wanted, "3Gi")])
    assert grown.refusals() == [(404, "Id not found\n")]
    assert grown.errors != []
    dead = plugin.run(born.objects, [delete(wanted)])
    assert dead.errors == []
    assert dead.refusals() == [(404, "Id not found\n")]
    assert dead.all("PersistentVolume") == []


def test_a_volume_grown_by_hand_is_not_grown_again(site: Site, plugin: Plugin) -> None:
    wanted = claim(size="2Gi")
    born = plugin.run(site.objects(wanted), [provision(wanted)])
    site.server.rest.do("POST", f"/volumes/{volume_id(born)}/expand", {"expand_size": 3})
    result = plugin.run(born.objects, [expand(wanted, "5Gi"), delete(wanted)])
    assert result.errors == []
    assert result.steps[0].size == "5Gi"
    assert [e.path for e in result.exchanges if e.method == "POST"] == []


def test_every_result_can_be_read_again(site: Site, plugin: Plugin) -> None:
    """K7: an answer that got lost on its way can be fetched once more."""
    wanted = claim()
    result = plugin.run(site.objects(wanted), [provision(wanted), expand(wanted, "3Gi"), delete(wanted)])
    assert result.errors == []
    results = {e.path: e.status for e in result.exchanges if e.is_poll}
    assert sorted(results.values()) == [204, 303, 303]
    for path, status in results.items():
        assert site.server.rest.ask("GET", path).status_code == status


def test_claims_of_one_class_get_a_gid_each(site: Site, plugin: Plugin) -> None:
    """The second run reads the gids in use from the volumes, as a restarted controller does."""
    first, second = claim("first"), claim("second")
    born = plugin.run([*site.objects(first), second], [provision(first)])
    both = plugin.run(born.objects, [provision(second)])
    gids = [pv["metadata"]["annotations"]["pv.beta.kubernetes.io/gid"] for pv in both.all("PersistentVolume")]
    assert sorted(gids) == ["2000", "2001"]
    served = [site.server.rest.get(f"/volumes/{v}")["gid"] for v in site.server.rest.volumes()]
    assert sorted(served) == [2000, 2001]
    assert plugin.run(both.objects, [delete(first), delete(second)]).errors == []


def test_many_claims_at_once_are_all_served(site: Site, plugin: Plugin, time_table: Note) -> None:
    """K8, K19: the controllers know no limit, and one answer of "busy" to a poll would lose a volume."""
    wanted = [claim(f"data-{n}", "1Gi") for n in range(20)]
    objects = [*site.objects(wanted[0]), *wanted[1:]]
    born = plugin.run(objects, [provision(c) for c in wanted], at_once=True)
    time_table(born)
    assert born.errors == [], born.refusals()
    wire_rules.check(born)
    gids = {pv["metadata"]["annotations"]["pv.beta.kubernetes.io/gid"] for pv in born.all("PersistentVolume")}
    assert gids == {str(2000 + n) for n in range(20)}
    assert len(site.server.rest.volumes()) == 20

    dead = plugin.run(born.objects, [delete(c) for c in wanted], at_once=True)
    time_table(dead)
    assert dead.errors == [], dead.refusals()
    wire_rules.check(dead)
    assert {key_of(c) for c in wanted} == {step.claim for step in dead.steps}


def test_idle_connections_are_closed_within_seconds(site: Site, plugin: Plugin) -> None:
    """K18: the plug-in opens a connection for every request and would keep each for 90 seconds."""
    wanted = claim()
    steps = [provision(wanted), expand(wanted, "3Gi"), delete(wanted)]
    result = plugin.run(site.objects(wanted), steps, settle=LONGEST_IDLE)
    assert len(result.connections) > 10
    assert [c for c in result.connections if c.closed_by == "nobody"] == []
