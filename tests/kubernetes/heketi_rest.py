"""A REST client of these tests' own: what the plug-in was told is compared with what anybody sees."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx


def token(user: str, key: str, method: str, path: str) -> str:
    now = int(time.time())
    qsh = hashlib.sha256(f"{method}&{path}".encode()).hexdigest()
    parts = [{"alg": "HS256", "typ": "JWT"}, {"iss": user, "iat": now, "exp": now + 60, "qsh": qsh}]
    text = ".".join(_base64(json.dumps(part).encode()) for part in parts)
    return f"{text}.{_base64(hmac.digest(key.encode(), text.encode(), 'sha256'))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Rest:
    """An administrator's view of the server. Without a key it sends no token."""

    def __init__(self, url: str, key: str | None, certificate: Path | None = None) -> None:
        self.url = url
        self._key = key
        self._trust = ssl.create_default_context(cafile=certificate)

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {token('admin', self._key, method, path)}"
        return httpx.request(
            method, self.url + path, json=body, headers=headers, timeout=30, verify=self._trust, trust_env=False
        )

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """A request to its end: the job is awaited, and what it leads to is returned."""
        answer = self.ask(method, path, body)
        while answer.status_code == 202 or answer.headers.get("X-Pending") == "true":
            if answer.status_code == 202:
                path = answer.headers["Location"]
            else:
                time.sleep(0.02)
            answer = self.ask("GET", path)
        if answer.status_code == 303:
            return self.get(answer.headers["Location"])
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def volumes(self) -> list[str]:
        found: list[str] = self.get("/volumes")["volumes"]
        return found

    def storage_addresses(self, cluster: str) -> list[str]:
        nodes = (self.get(f"/nodes/{node}") for node in self.get(f"/clusters/{cluster}")["nodes"])
        return [node["hostnames"]["storage"][0] for node in nodes]

    def space(self) -> dict[str, tuple[int, int, list[str]]]:
        """Free and used KiB of each device, and the bricks on it."""
        found = {}
        for cluster in self.get("/clusters")["clusters"]:
            for node in self.get(f"/clusters/{cluster}")["nodes"]:
                for device in self.get(f"/nodes/{node}")["devices"]:
                    storage = device["storage"]
                    found[device["id"]] = (
                        storage["free"],
                        storage["used"],
                        [b["id"] for b in device["bricks"]],
                    )
        return found

    def unfinished(self) -> list[str]:
        """What some work has begun and not ended: bricks of no visible volume, and operations where they are listed."""
        whole = {brick["id"] for volume in self.volumes() for brick in self.get(f"/volumes/{volume}")["bricks"]}
        bricks = {brick for _, _, held in self.space().values() for brick in held}
        answer = self.ask("GET", "/operations/pending")
        listed = answer.json()["pendingoperations"] if answer.status_code == 200 else []
        return sorted(bricks - whole) + [operation["id"] for operation in listed]

    def wait_until_idle(self) -> None:
        """Every job comes to its end whether anybody polls or not."""
        self._wait(lambda: not self.unfinished())

    def wait_for_change(self, before: object) -> None:
        """Until some work is in the books; `before` is an earlier `books()`."""
        self._wait(lambda: self.books() != before)

    def wait_for_devices(self, number: int) -> None:
        self._wait(lambda: len(self.space()) == number)

    def books(self) -> object:
        return self.volumes(), self.space()

    def _wait(self, come_true: Callable[[], bool], limit: float = 30) -> None:
        end = time.monotonic() + limit
        while not come_true():
            assert time.monotonic() < end
            time.sleep(0.01)
