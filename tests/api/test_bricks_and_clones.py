"""Routes of bricks, and clones of volumes: what is asked of the services, and in which order requests are checked."""

import httpx
import pytest

from heketipy.domain.states import HealCheck
from tests.api.fake_services import BRICK, UNKNOWN, VOLUME, FakeServices

EVICT = f"/bricks/to-evict/{BRICK}"
CLONE = f"/volumes/{VOLUME}/clone"


@pytest.mark.parametrize(
    ("body", "heal_check"),
    [
        (None, HealCheck.ENABLE),
        ({}, HealCheck.ENABLE),
        ({"healcheck": ""}, HealCheck.ENABLE),
        ({"healcheck": "enable"}, HealCheck.ENABLE),
        ({"healcheck": "disable"}, HealCheck.DISABLE),
    ],
)
async def test_an_evict_may_do_without_a_body(
    client: httpx.AsyncClient, services: FakeServices, body: object, heal_check: HealCheck
) -> None:
    response = await client.post(EVICT, json=body) if body is not None else await client.post(EVICT)
    assert response.status_code == 202
    assert response.headers["location"].startswith("/queue/")
    assert services.calls == [("evict brick", BRICK, heal_check)]


async def test_an_evict_is_decoded_then_checked_then_looked_up(client: httpx.AsyncClient) -> None:
    unknown = f"/bricks/to-evict/{UNKNOWN}"
    response = await client.post(unknown, content="{")
    assert response.status_code == 422
    response = await client.post(unknown, json={"healcheck": "perhaps"})
    assert response.status_code == 400
    assert response.text == "validation failed: healcheck: perhaps is not valid heal info check.\n"
    response = await client.post(unknown)
    assert (response.status_code, response.text) == (404, "Id not found\n")


@pytest.mark.parametrize(
    ("body", "name"), [({}, ""), ({"name": ""}, ""), ({"name": "copy"}, "copy"), ({"name": "a.b"}, "a-b")]
)
async def test_a_clone_has_a_usable_name_or_none(
    client: httpx.AsyncClient, services: FakeServices, body: object, name: str
) -> None:
    assert (await client.post(CLONE, json=body)).status_code == 202
    assert services.calls == [("clone volume", VOLUME, name)]


async def test_a_clone_is_decoded_then_checked_then_looked_up(client: httpx.AsyncClient) -> None:
    unknown = f"/volumes/{UNKNOWN}/clone"
    assert (await client.post(unknown)).status_code == 422
    response = await client.post(unknown, json={"name": "bad name"})
    assert (response.status_code, response.text) == (400, "validation failed: name: must be in a valid format.\n")
    response = await client.post(unknown, json={})
    assert (response.status_code, response.text) == (404, "Id not found\n")
