"""The files in deploy/kubernetes: what they name exists, and what they configure works."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import wire_rules
import yaml
from claims import delete, expand, provision, volume_id
from heketi_process import ADMIN_KEY, USER_KEY, HeketiProcess, command
from in_tree_plugin import Manifest, Plugin

pytestmark = pytest.mark.timeout(1800)

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
FILES = sorted(FOLDER.rglob("*.yaml"))
SERVED_BY_1_25 = {
    "Namespace": "v1",
    "Secret": "v1",
    "ConfigMap": "v1",
    "Service": "v1",
    "PersistentVolumeClaim": "v1",
    "Deployment": "apps/v1",
    "Ingress": "networking.k8s.io/v1",
    "StorageClass": "storage.k8s.io/v1",
}
CLUSTER_WIDE = {"Namespace", "StorageClass"}


def documents() -> Iterator[Manifest]:
    for file in FILES:
        yield from yaml.safe_load_all(file.read_text())


OBJECTS = {(d["kind"], d["metadata"].get("namespace", ""), d["metadata"]["name"]): d for d in documents()}


def find(kind: str, namespace: str, name: str) -> Manifest:
    assert (kind, namespace, name) in OBJECTS, f"no {kind} {namespace}/{name} among the manifests"
    return OBJECTS[kind, namespace, name]


def entries(o: Manifest) -> dict[str, str]:
    return {**o.get("data", {}), **o.get("stringData", {})}


HEKETI = find("Deployment", "gfs", "heketi")
POD = HEKETI["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]
CONFIG = find("ConfigMap", "gfs", "heketi-config")["data"]
CLASS = find("StorageClass", "", "glusterfs-rep3")
CLAIM = find("PersistentVolumeClaim", "gdynamic", "gluster-dynamic-pvc1")
DEPLOYMENTS = [o for o in OBJECTS.values() if o["kind"] == "Deployment"]


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(FOLDER)))
def test_every_file_holds_objects_that_kubernetes_1_25_serves(file: Path) -> None:
    found = list(yaml.safe_load_all(file.read_text()))
    assert found
    for o in found:
        assert o["apiVersion"] == SERVED_BY_1_25[o["kind"]]
        assert ("namespace" in o["metadata"]) == (o["kind"] not in CLUSTER_WIDE)


def test_no_object_is_described_twice() -> None:
    assert len(OBJECTS) == len(list(documents()))


def test_every_namespace_is_made_before_it_is_used() -> None:
    made = set()
    for o in documents():
        if o["kind"] == "Namespace":
            made.add(o["metadata"]["name"])
        assert o["metadata"].get("namespace") in made | {None}


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda d: d["metadata"]["name"])
def test_what_a_pod_mounts_and_reads_exists(deployment: Manifest) -> None:
    namespace, template = deployment["metadata"]["namespace"], deployment["spec"]["template"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    volumes = template["spec"]["volumes"]
    for volume in volumes:
        [(kind, source)] = [item for item in volume.items() if item[0] != "name"]
        if kind == "configMap":
            find("ConfigMap", namespace, source["name"])
        elif kind == "secret":
            find("Secret", namespace, source["secretName"])
        elif kind == "persistentVolumeClaim":
            find("PersistentVolumeClaim", namespace, source["claimName"])
        else:
            assert kind == "emptyDir"
    for container in template["spec"]["containers"]:
        assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in volumes}
        for variable in container.get("env", []):
            reference = variable["valueFrom"]["secretKeyRef"]
            assert reference["key"] in entries(find("Secret", namespace, reference["name"]))


def test_images_are_ordinary_names() -> None:
    images = [c["image"] for d in DEPLOYMENTS for c in d["spec"]["template"]["spec"]["containers"]]
    for image in images:
        first, *rest = image.split("/")
        assert not rest or not set(first) & set(".:"), f"{image} names a registry's host"
        assert ":" in image
        assert not image.endswith(":latest")


def test_there_is_one_server_and_never_two() -> None:
    assert HEKETI["spec"]["replicas"] == 1
    assert HEKETI["spec"]["strategy"] == {"type": "Recreate"}


def test_the_server_is_probed_by_hello() -> None:
    ports = {p["name"]: p["containerPort"] for p in CONTAINER["ports"]}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        get = CONTAINER[probe]["httpGet"]
        assert get["path"] == "/hello"
        assert str(ports[get["port"]]) == json.loads(CONFIG["heketi.json"])["port"]


def test_the_server_has_no_privileges() -> None:
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["runAsUser"] > 0
    assert POD["automountServiceAccountToken"] is False
    security = CONTAINER["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}


def test_the_pod_is_given_more_time_to_end_than_the_server_takes() -> None:
    grace = json.loads(CONFIG["heketi.json"])["shutdown_grace"]
    assert POD["terminationGracePeriodSeconds"] >= grace + 20


def test_a_server_that_ends_keeps_its_address_until_it_is_gone() -> None:
    service = find("Service", "gfs", "heketi")
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert service["spec"]["selector"].items() <= HEKETI["spec"]["template"]["metadata"]["labels"].items()


def test_the_ingress_leads_to_the_server() -> None:
    [rule] = find("Ingress", "gfs", "heketi")["spec"]["rules"]
    assert f"http://{rule['host']}" == CLASS["parameters"]["resturl"]
    [path] = rule["http"]["paths"]
    backend = path["backend"]["service"]
    [port] = find("Service", "gfs", backend["name"])["spec"]["ports"]
    assert port["name"] == backend["port"]["name"]
    assert port["targetPort"] in {p["name"] for p in CONTAINER["ports"]}


def test_the_configuration_names_paths_that_are_mounted() -> None:
    mounts = {m["mountPath"]: m["name"] for m in CONTAINER["volumeMounts"]}
    glusterfs = json.loads(CONFIG["heketi.json"])["glusterfs"]
    assert mounts[str(PurePosixPath(glusterfs["db"]).parent)] == "db"
    key = PurePosixPath(glusterfs["sshexec"]["keyfile"])
    assert mounts[str(key.parent)] == "ssh"
    assert key.name in entries(find("Secret", "gfs", "heketi-ssh"))
    for argument in CONTAINER["args"][1:]:
        file = PurePosixPath(argument.partition("=")[2])
        assert mounts[str(file.parent)] == "config"
        assert file.name in CONFIG


def test_no_secret_is_in_the_configuration() -> None:
    assert "key" not in json.dumps(json.loads(CONFIG["heketi.json"]).get("jwt", {}))
    for o in OBJECTS.values():
        if o["kind"] == "Secret":
            assert all(text.startswith("replace me") for text in entries(o).values())


def test_the_topology_can_be_used_by_kubernetes() -> None:
    [cluster] = json.loads(CONFIG["topology.json"])["clusters"]
    addresses = [node["node"]["hostnames"]["storage"] for node in cluster["nodes"]]
    assert len(addresses) >= 3
    for names in addresses:
        [name] = names
        assert not ipaddress.ip_address(name).is_loopback


def test_the_class_and_the_server_share_one_key() -> None:
    parameters = CLASS["parameters"]
    secret = find("Secret", parameters["secretNamespace"], parameters["secretName"])
    assert secret["type"] == CLASS["provisioner"]
    [admin] = [v for v in CONTAINER["env"] if v["name"] == "HEKETI_ADMIN_KEY"]
    assert admin["valueFrom"]["secretKeyRef"] == {"name": parameters["secretName"], "key": "key"}


def test_the_example_is_a_shared_claim_of_the_class() -> None:
    assert CLAIM["spec"]["storageClassName"] == CLASS["metadata"]["name"]
    assert CLAIM["spec"]["accessModes"] == ["ReadWriteMany"]
    assert CLAIM["spec"]["resources"]["requests"]["storage"] == "2Gi"
    assert CLASS["allowVolumeExpansion"] is True
    own = find("PersistentVolumeClaim", "gfs", "heketi-db")
    assert own["spec"].get("storageClassName") != CLASS["metadata"]["name"]


def test_the_readme_names_every_file() -> None:
    readme = (FOLDER / "README.md").read_text()
    for file in FILES:
        assert file.name in readme or f"{file.parent.name}/" in readme


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[HeketiProcess]:
    """The server as the Deployment starts it, with its own configuration, but on the simulator."""
    if command() is None:
        pytest.skip("there is no server to test")
    environment = {
        "HEKETI_EXECUTOR": "mock",
        "HEKETI_DB_PATH": str(tmp_path / "heketi.db"),
        "HEKETI_ADMIN_KEY": ADMIN_KEY,
        "HEKETI_USER_KEY": USER_KEY,
        "HEKETIPY_SHUTDOWN_GRACE": "10",
    }
    server = HeketiProcess(tmp_path, CONFIG["heketi.json"], topology=CONFIG["topology.json"], environment=environment)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_the_manifests_serve_their_own_example(deployed: HeketiProcess, plugin: Plugin) -> None:
    """The StorageClass and the claim, as they are, through Kubernetes' own plug-in."""
    deployed.rest.wait_for_devices(15)  # the topology is loaded while the server already serves
    storage_class: dict[str, Any] = {**CLASS, "parameters": {**CLASS["parameters"], "resturl": deployed.url}}
    secret = {**find("Secret", "gfs", "heketi-secret"), "stringData": {"key": ADMIN_KEY, "user-key": "another"}}
    born = plugin.run([storage_class, secret, CLAIM], [provision(CLAIM)])
    assert born.errors == [], born.refusals()
    addresses = [a["ip"] for a in born.one("Endpoints")["subsets"][0]["addresses"]]
    assert sorted(addresses) == ["192.168.254.110", "192.168.254.120", "192.168.254.130"]
    volume = deployed.rest.get(f"/volumes/{volume_id(born)}")
    assert volume["durability"]["replicate"] == {"replica": 3}
    assert 40000 <= volume["gid"] <= 50000

    result = plugin.run(born.objects, [expand(CLAIM, "3Gi"), delete(CLAIM)])
    assert result.errors == [], result.refusals()
    wire_rules.check(result)
    assert deployed.rest.volumes() == []
