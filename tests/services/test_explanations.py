"""A full site is asked again and again: its refusals are explained, but not each anew."""

import asyncio

import pytest

from heketipy.domain.errors import CannotAllocate
from heketipy.domain.model import VolumeSpec
from heketipy.domain.placement import explain_refusal
from heketipy.services import explanations
from tests.operations.scenarios import REPLICA_3
from tests.support.system import System


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every look at all devices, as it is made."""
    made: list[object] = []

    def counted(*arguments: object) -> str:
        made.append(arguments)
        return explain_refusal(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(f"{explanations.__name__}.explain_refusal", counted)
    return made


async def refusal(system: System, gib: int) -> str:
    with pytest.raises(CannotAllocate) as refused:
        await system.services.volumes.create(VolumeSpec(size_gib=gib, durability=REPLICA_3))
    return str(refused.value)


async def test_many_who_are_refused_at_the_same_time_wait_for_one_look(system: System, looks: list[object]) -> None:
    await system.cluster()
    texts = await asyncio.gather(*[refusal(system, 100_000) for _ in range(20)])
    assert len(set(texts)) == 1
    assert "\n" in texts[0]
    assert len(looks) == 1
    assert await refusal(system, 200_000) != texts[0]
    assert len(looks) == 2


async def test_one_who_goes_away_does_not_take_the_explanation_along(system: System, looks: list[object]) -> None:
    await system.cluster()
    asking = [asyncio.create_task(refusal(system, 100_000)) for _ in range(3)]
    while not looks:
        await asyncio.sleep(0)
    asking[0].cancel()
    texts = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(texts[0], asyncio.CancelledError)
    assert texts[1] == texts[2]
    assert len(looks) == 1


async def test_an_explanation_is_given_again_for_a_while(
    system: System, looks: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.cluster()
    for _ in range(3):
        await refusal(system, 100_000)
    assert len(looks) == 1
    monkeypatch.setattr(explanations, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(explanations, "SHARE", 1000.0)
    for _ in range(3):
        await refusal(system, 150_000)
    assert len(looks) == 4
