"""What must not work: a class that the plug-in refuses, and a request that the server refuses.

Neither may leave a volume behind, since the controller tries again and again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wire_rules
from claims import claim, delete, expand, provision, secret, storage_class, volume_id
from conftest import Site
from heketi_process import ADMIN_KEY, USER_KEY, HeketiProcess, configuration, free_port
from in_tree_plugin import Manifest, Plugin

pytestmark = pytest.mark.timeout(1800)

Start = Callable[..., HeketiProcess]

HIDDEN = "failed to create volume: failed to create volume: see kube-controller-manager.log for details"

BAD_PARAMETERS = {
    "unknown option": ({"endpoint": "x"}, 'invalid option "endpoint"'),
    "no server": ({"resturl": ""}, "must contain 'resturl' parameter"),
    "gidMin in words": ({"gidMin": "many"}, 'invalid gidMin value "gidMin"'),
    "gidMin below zero": ({"gidMin": "-1"}, 'invalid gidMin value "gidMin"'),
    "gidMin too small": ({"gidMin": "1999"}, "gidMin must be >= 2000"),
    "gidMax in words": ({"gidMax": "many"}, 'invalid gidMax value "gidMax"'),
    "gidMax too small": ({"gidMax": "1999"}, "gidMax must be >= 2000"),
    "gidMax too large": ({"gidMax": "2147483648"}, 'invalid gidMax value "gidMax"'),
    "gid range upside down": ({"gidMin": "3000", "gidMax": "2999"}, "must have gidMax value >= gidMin"),
    "unknown volume type": ({"volumetype": "dist-rep:3"}, "error parsing value for option 'volumetype'"),
    "replicate with a blank": ({"volumetype": "replicate: 2"}, 'error parsing volumeType " 2"'),
    "replicate below zero": ({"volumetype": "replicate:-1"}, "negative values are not allowed"),
    "disperse without redundancy": ({"volumetype": "disperse:4"}, "must have data:redundancy count"),
    "disperse in words": ({"volumetype": "disperse:four:2"}, 'error parsing volumeType "four"'),
    "prefix with underscore": ({"volumenameprefix": "my_team"}, "should not contain '_'"),
    "snapfactor in words": ({"snapfactor": "some"}, "failed to convert snapfactor some to float"),
    "snapfactor too small": ({"snapfactor": "0.5"}, "invalid snapshot factor 0.5"),
    "snapfactor too large": ({"snapfactor": "101"}, "invalid snapshot factor 101"),
    "endpoints prefix too long": ({"customepnameprefix": "e" * 27}, "'customepnameprefix' value should be"),
}

WITH_SECRET = {"restauthenabled": "true", "secretNamespace": "default", "secretName": "heketi-secret"}
BAD_SECRETS: dict[str, tuple[dict[str, str], list[Manifest], str]] = {
    "missing": (WITH_SECRET, [], "failed to get secret default/heketi-secret"),
    "of another type": (WITH_SECRET, [secret("k", kind="Opaque")], "cannot get secret of type"),
    "empty": (WITH_SECRET, [secret("")], "empty secret map"),
    "without namespace": ({**WITH_SECRET, "secretNamespace": ""}, [], "either both set or both empty"),
    "without name": ({**WITH_SECRET, "secretName": ""}, [], "either both set or both empty"),
}

BAD_CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "for one pod only": ({"accessModes": ["ReadWriteOncePod"]}, "invalid AccessModes"),
    "for a block device": ({"volumeMode": "Block"}, "does not support block volume provisioning"),
    "with a selector": ({"selector": {"matchLabels": {"a": "b"}}}, "not able to parse your claim Selector"),
}


@pytest.mark.parametrize(("parameters", "text"), BAD_PARAMETERS.values(), ids=BAD_PARAMETERS)
def test_bad_parameters_never_reach_the_server(
    site: Site, plugin: Plugin, parameters: dict[str, str], text: str
) -> None:
    wanted = claim()
    result = plugin.run(site.objects(wanted, parameters), [provision(wanted)])
    assert text in result.steps[0].error
    assert result.exchanges == []
    assert result.all("Service") == []


@pytest.mark.parametrize(("parameters", "secrets", "text"), BAD_SECRETS.values(), ids=BAD_SECRETS)
def test_a_bad_secret_never_reaches_the_server(
    site: Site, plugin: Plugin, parameters: dict[str, str], secrets: list[Manifest], text: str
) -> None:
    wanted = claim()
    objects = [storage_class(site.parameters(parameters)), wanted, *secrets]
    result = plugin.run(objects, [provision(wanted)])
    assert text in result.steps[0].error
    assert result.exchanges == []


@pytest.mark.parametrize(("spec", "text"), BAD_CLAIMS.values(), ids=BAD_CLAIMS)
def test_a_bad_claim_never_reaches_the_server(site: Site, plugin: Plugin, spec: dict[str, Any], text: str) -> None:
    wanted = claim(**spec)
    result = plugin.run(site.objects(wanted), [provision(wanted)])
    assert text in result.steps[0].error
    assert result.exchanges == []


NO_SUCH_CLUSTER = "0123456789abcdef0123456789abcdef"
REFUSED: dict[str, tuple[dict[str, str], str, int, str]] = {
    "too many replicas": ({"volumetype": "replicate:9"}, "2Gi", 400, "Invalid replica value\n"),
    "impossible dispersion": (
        {"volumetype": "disperse:3:1"},
        "2Gi",
        400,
        "Invalid dispersion combination: 3+1\n",
    ),
    "unknown cluster": (
        {"clusterid": NO_SUCH_CLUSTER},
        "2Gi",
        400,
        f"Cluster id {NO_SUCH_CLUSTER} not found\n",
    ),
    "too small for disperse": (
        {"volumetype": "disperse:4:2"},
        "2Gi",
        400,
        "Requested volume size (2 GB) is smaller than the minimum supported volume size (4194304)\n",
    ),
    "no room": ({"clusterid": "{large}"}, "100Ti", 500, "Failed to allocate new volume: No space"),
    "no room anywhere": (
        {},
        "100Ti",
        500,
        "Failed to allocate new volume: Unable to create volume on any cluster:",
    ),
    "too few nodes": (
        {"volumetype": "disperse:4:2", "clusterid": "{small}"},
        "4Gi",
        500,
        "Failed to allocate new volume: No space",
    ),
    "gid at the very top": ({"gidMin": "2147483647"}, "2Gi", 400, "Bad group id equal or greater than 2**32\n"),
}


@pytest.mark.parametrize(("parameters", "size", "status", "text"), REFUSED.values(), ids=REFUSED)
def test_a_refused_create_leaves_nothing(
    site: Site, plugin: Plugin, parameters: dict[str, str], size: str, status: int, text: str
) -> None:
    """The claim's owner sees a fixed text; the reason is in the answer, at once and in its first line."""
    wanted = claim(size=size)
    parameters = {k: v.format(small=site.small, large=site.large) for k, v in parameters.items()}
    result = plugin.run(site.objects(wanted, parameters), [provision(wanted), provision(wanted)])
    wire_rules.check(result, refusals_expected=True)
    assert result.errors == [HIDDEN, HIDDEN]
    [answered, body] = result.refusals()[0]
    assert answered == status
    assert body.startswith(text)
    assert body.splitlines()[0] in result.log
    assert all(not e.is_poll for e in result.exchanges)


def test_a_refused_expand_changes_nothing(site: Site, plugin: Plugin) -> None:
    """K21: and it can be asked again, as the expand controller does ten times within seconds."""
    wanted = claim()
    steps = [provision(wanted), expand(wanted, "100Ti"), expand(wanted, "100Ti"), expand(wanted, "3Gi")]
    born = plugin.run(site.objects(wanted), steps)
    wire_rules.check(born, refusals_expected=True)
    assert [bool(step.error) for step in born.steps] == [False, True, True, False]
    assert [status for status, _ in born.refusals()] == [500, 500]
    assert all(text.startswith("Failed to allocate volume expansion: ") for _, text in born.refusals())
    assert site.server.rest.get(f"/volumes/{volume_id(born)}")["size"] == 3
    assert plugin.run(born.objects, [delete(wanted)]).errors == []


WRONG_LOGIN: dict[str, tuple[dict[str, str], str, str]] = {
    "wrong key": (
        {},
        "not the key",
        "Invalid JWT token: signature is invalid (client and server secrets may not",
    ),
    "key with a newline": ({}, f"{ADMIN_KEY}\n", "Invalid JWT token: signature is invalid"),
    "unknown user": ({"restuser": "root"}, ADMIN_KEY, "Invalid JWT token: Unknown user\n"),
    "nobody": ({"restauthenabled": "false"}, ADMIN_KEY, "Invalid JWT token: Token missing iss claim\n"),
}


@pytest.mark.parametrize("shared_site", [True], ids=["auth"], indirect=True)
@pytest.mark.parametrize(("parameters", "key", "text"), WRONG_LOGIN.values(), ids=WRONG_LOGIN)
def test_a_wrong_login_is_refused_at_the_door(
    site: Site, plugin: Plugin, parameters: dict[str, str], key: str, text: str
) -> None:
    wanted = claim()
    objects = [secret(key), storage_class(site.parameters(parameters)), wanted]
    result = plugin.run(objects, [provision(wanted)])
    wire_rules.check(result, refusals_expected=True)
    assert result.errors == [HIDDEN]
    [(status, body)] = result.refusals()
    assert status == 401
    assert body.startswith(text)


LOGINS: dict[str, tuple[dict[str, str], list[Manifest]]] = {
    "key in the class": ({"restuser": "admin", "restuserkey": ADMIN_KEY}, []),
    "secret before key in the class": (
        {"restuser": "admin", **WITH_SECRET, "restuserkey": "x"},
        [secret(ADMIN_KEY)],
    ),
    "secret under another name": (
        {"restuser": "admin", **WITH_SECRET},
        [secret(ADMIN_KEY, entry="password")],
    ),
    "enabled in capitals": (
        {"restuser": "admin", **WITH_SECRET, "restauthenabled": "TRUE"},
        [secret(ADMIN_KEY)],
    ),
}


@pytest.mark.parametrize(("parameters", "secrets"), LOGINS.values(), ids=LOGINS)
def test_every_documented_login_works(
    site: Site, plugin: Plugin, parameters: dict[str, str], secrets: list[Manifest]
) -> None:
    """K13, K14: without authentication the server must not even look at the token."""
    wanted = claim()
    objects = [*secrets, storage_class({"resturl": site.server.url, **parameters}), wanted]
    result = plugin.run(objects, [provision(wanted), expand(wanted, "3Gi"), delete(wanted)])
    assert result.errors == [], result.refusals()
    wire_rules.check(result)


@pytest.mark.parametrize("shared_site", [True], ids=["auth"], indirect=True)
def test_a_class_with_the_ordinary_user_leaves_no_unknown_volume(site: Site, plugin: Plugin) -> None:
    """It may be refused at once or served to the end; what must not be is a volume that no claim knows."""
    wanted = claim()
    parameters = {"resturl": site.server.url, "restuser": "user", "restuserkey": USER_KEY}
    result = plugin.run([storage_class(parameters), wanted], [provision(wanted)])
    known = [volume_id(result)] if result.all("PersistentVolume") else []
    served = site.server.rest.volumes()
    for volume in served:
        site.server.rest.do("DELETE", f"/volumes/{volume}")
    assert served == known


def test_a_server_that_is_down_is_an_error_and_no_more(plugin: Plugin) -> None:
    wanted = claim()
    parameters = {"resturl": f"http://127.0.0.1:{free_port()}"}
    result = plugin.run([storage_class(parameters), wanted], [provision(wanted)])
    assert result.errors == [HIDDEN]
    assert "connection refused" in result.log


def test_a_server_without_clusters_refuses(start_server: Start, plugin: Plugin) -> None:
    result = provision_at(start_server(), plugin, claim())
    assert result.refusals() == [(400, "No clusters configured\n")]


def test_addresses_that_kubernetes_refuses_leave_no_volume(start_server: Start, plugin: Plugin) -> None:
    """The plug-in takes the volume back by itself; or the server, knowing better, never makes it (K22)."""
    server = start_server()
    server.add_cluster(["127.0.0.11", "127.0.0.12", "127.0.0.13"])
    result = provision_at(server, plugin, claim())
    wire_rules.check(result, refusals_expected=True)
    assert len(result.errors) == 1
    assert server.rest.volumes() == []
    assert server.rest.unfinished() == []


def test_a_strict_server_takes_no_node_that_kubernetes_cannot_use(start_server: Start, tmp_path: Path) -> None:
    """K22, K23: a volume on such a node would be made, and then forgotten, at every try."""
    server = start_server(configuration(tmp_path, {"storage_hostname_check": "strict"}))
    cluster = server.rest.do("POST", "/clusters", {"file": True, "block": True})["id"]
    for storage in (["storage-1.example.org"], ["192.0.2.11", "192.0.2.12"]):
        hostnames = {"manage": ["node-1"], "storage": storage}
        answer = server.rest.ask("POST", "/nodes", {"zone": 1, "cluster": cluster, "hostnames": hostnames})
        assert answer.status_code == 400, answer.text
        assert storage[0] in answer.text
    server.add_cluster(["192.0.2.11", "2001:db8::12"])


def provision_at(server: HeketiProcess, plugin: Plugin, wanted: Manifest) -> Any:
    parameters = {"resturl": server.url, "restuser": "admin", "restuserkey": ADMIN_KEY}
    return plugin.run([storage_class(parameters), wanted], [provision(wanted)])
