"""Tag rules and arbiter roles."""

import pytest

from heketipy.domain.tags import ArbiterRole, TagRule, TagRuleError, arbiter_role, effective_tags
from tests.domain.heketi_vectors import Vector, vectors


@vectors("tag_rule")
def test_a_tag_rule_is_read_as_heketi_reads_it(vector: Vector) -> None:
    if "error" in vector:
        with pytest.raises(TagRuleError) as error:
            TagRule.parse(vector["rule"])
        assert str(error.value) == vector["error"]
        return
    rule = TagRule.parse(vector["rule"])
    assert (rule.key, rule.op, rule.value) == (vector["key"], vector["op"], vector["value"])
    assert str(rule) == vector["rule"]
    assert rule.accepts({}) == vector["accepts"]["absent"]
    assert rule.accepts({rule.key: rule.value}) == vector["accepts"]["equal"]
    assert rule.accepts({rule.key: rule.value + "x"}) == vector["accepts"]["other"]


def test_a_device_s_tags_lie_over_its_node_s() -> None:
    assert effective_tags({"a": "1", "b": "2"}, {"b": "3"}) == {"a": "1", "b": "3"}
    assert effective_tags({}, {"b": "3"}) == {"b": "3"}


@pytest.mark.parametrize("text", ["", "Required", "yes"])
def test_an_unknown_arbiter_tag_counts_as_supported(text: str) -> None:
    assert arbiter_role({"arbiter": text}) is ArbiterRole.SUPPORTED
    assert arbiter_role({}) is ArbiterRole.SUPPORTED


def test_a_known_arbiter_tag_is_taken_at_its_word() -> None:
    assert arbiter_role({"arbiter": "required"}) is ArbiterRole.REQUIRED
    assert arbiter_role({"arbiter": "disabled"}) is ArbiterRole.DISABLED
