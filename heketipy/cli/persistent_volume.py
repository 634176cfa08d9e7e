"""The PersistentVolume of Kubernetes that `volume create` can print."""

import json
from typing import Final

from heketipy.client.connection import Json

_ESCAPES: Final = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def persistent_volume(volume: Json, endpoint: str) -> str:
    """Return the document, given a volume and the name of the Endpoints object that leads to its nodes."""
    document = {
        "kind": "PersistentVolume",
        "apiVersion": "v1",
        "metadata": {
            "name": f"glusterfs-{volume['id'][:8]}",
            "creationTimestamp": None,
            "annotations": {"pv.beta.kubernetes.io/gid": str(volume.get("gid", 0))},
        },
        "spec": {
            "capacity": {"storage": f"{volume['size']}Gi"},
            "glusterfs": {"endpoints": endpoint or "TYPE ENDPOINT HERE", "path": volume["name"]},
            "accessModes": ["ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
        },
        "status": {},
    }
    return json.dumps(document, indent=2, ensure_ascii=False).translate(_ESCAPES)
