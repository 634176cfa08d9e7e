"""Kubernetes objects as the cases need them."""

from __future__ import annotations

import uuid
from typing import Any

from in_tree_plugin import Manifest, Result

PROVISIONER = "kubernetes.io/glusterfs"
GIB = 1 << 30


def storage_class(parameters: dict[str, str], name: str = "gold") -> Manifest:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": PROVISIONER,
        "parameters": parameters,
        "allowVolumeExpansion": True,
        "mountOptions": ["log-level=WARNING"],
    }


def claim(name: str = "data", size: str = "2Gi", namespace: str = "shop", **spec: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace, "uid": str(uuid.uuid4())},
        "spec": {
            "storageClassName": "gold",
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": size}},
            **spec,
        },
    }


def secret(key: str, *, entry: str = "key", kind: str = PROVISIONER, name: str = "heketi-secret") -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "default"},
        "type": kind,
        "stringData": {entry: key} if key else {},
    }


def key_of(claim: Manifest) -> str:
    return f"{claim['metadata']['namespace']}/{claim['metadata']['name']}"


def provision(claim: Manifest, **step: Any) -> Manifest:
    return {"do": "provision", "claim": key_of(claim), **step}


def expand(claim: Manifest, to: str, **step: Any) -> Manifest:
    return {"do": "expand", "claim": key_of(claim), "to": to, **step}


def delete(claim: Manifest, **step: Any) -> Manifest:
    return {"do": "delete", "claim": key_of(claim), **step}


def volume_id(result: Result) -> str:
    """The id under which Kubernetes remembers the volume."""
    found = result.one("PersistentVolume")["metadata"]["annotations"]["gluster.kubernetes.io/heketi-volume-id"]
    assert isinstance(found, str)
    return found


def gib(quantity: str) -> int:
    """A size rounded up to whole GiB, as the plug-in does."""
    units = {"Gi": GIB, "Mi": 1 << 20, "G": 10**9, "M": 10**6}
    for unit, factor in units.items():
        if quantity.endswith(unit):
            return -(-int(float(quantity.removesuffix(unit)) * factor) // GIB)
    return -(-int(quantity) // GIB)
