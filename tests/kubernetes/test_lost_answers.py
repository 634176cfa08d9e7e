"""What becomes of a claim when an answer of the server is lost. Kubernetes starts again."""

from __future__ import annotations

import pytest
from claims import claim, delete, expand, provision, volume_id
from conftest import Site
from in_tree_plugin import Plugin

pytestmark = pytest.mark.timeout(1800)


def lost(request: str, nth: int = 1) -> dict[str, object]:
    return {"lose": [{"request": request, "nth": nth}]}


@pytest.mark.parametrize("request_line", ["DELETE /volumes/", "GET /queue/"])
def test_a_delete_whose_answer_was_lost_is_asked_again(site: Site, plugin: Plugin, request_line: str) -> None:
    """K5, K6, K7: the second DELETE finds the work running or done, and either way it ends well."""
    wanted = claim()
    steps = [provision(wanted), delete(wanted, **lost(request_line)), delete(wanted)]
    result = plugin.run(site.objects(wanted), steps)
    assert [bool(step.error) for step in result.steps] == [False, True, False]
    assert {text for _, text in result.refusals()} <= {"Id not found\n"}
    assert result.all("PersistentVolume") == []


@pytest.mark.parametrize("request_line", ["GET /queue/", "GET /volumes/"])
def test_an_expand_whose_answer_was_lost_does_not_grow_twice(site: Site, plugin: Plugin, request_line: str) -> None:
    """K21: the new size is in the books before the answer, so that the second try finds nothing to do."""
    wanted = claim(size="2Gi")
    # The first GET of a volume comes before the work; the lost one is that which follows the redirect.
    nth = 2 if request_line == "GET /volumes/" else 1
    steps = [provision(wanted), expand(wanted, "5Gi", **lost(request_line, nth)), expand(wanted, "5Gi")]
    result = plugin.run(site.objects(wanted), steps)
    site.server.rest.wait_until_idle()
    again = plugin.run(result.objects, [expand(wanted, "5Gi")])
    assert again.errors == []
    assert site.server.rest.get(f"/volumes/{volume_id(again)}")["size"] == 5
    assert plugin.run(again.objects, [delete(wanted)]).errors == []


@pytest.mark.parametrize("request_line", ["POST /volumes", "GET /queue/", "GET /clusters/", "GET /nodes/"])
def test_a_create_whose_answer_was_lost_is_finished_and_visible(site: Site, plugin: Plugin, request_line: str) -> None:
    """Kubernetes asks for another volume; the first one is for the administrator to find, and whole."""
    wanted = claim()
    steps = [provision(wanted, **lost(request_line)), provision(wanted)]
    result = plugin.run(site.objects(wanted), steps)
    assert [bool(step.error) for step in result.steps] == [True, False]
    site.server.rest.wait_until_idle()
    assert volume_id(result) in site.server.rest.volumes()
    [orphan] = set(site.server.rest.volumes()) - {volume_id(result)}
    assert site.server.rest.get(f"/volumes/{orphan}")["size"] == 2
    site.server.rest.do("DELETE", f"/volumes/{orphan}")
    assert plugin.run(result.objects, [delete(wanted)]).errors == []


def test_a_poll_for_unknown_work_does_not_say_that_the_volume_is_gone(site: Site) -> None:
    """K6: `Id not found` would make Kubernetes forget a volume that lives on."""
    answer = site.server.rest.ask("GET", "/queue/0123456789abcdef0123456789abcdef")
    assert answer.status_code == 404
    assert answer.text.strip() != "Id not found"
