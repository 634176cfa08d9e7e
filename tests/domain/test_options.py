"""What is stored of a volume's options, and what of it we read ourselves."""

import pytest

from heketipy.domain.durability import Durability, DurabilityType
from heketipy.domain.options import effective_options, has_arbiter, parsed
from heketipy.domain.tags import TagRule, TagRuleError
from heketipy.domain.zones import zones_must_differ
from tests.domain.heketi_vectors import Vector, vectors

SERVER_AVERAGE_KIB = 64


@vectors("option_parse")
def test_our_own_options_are_read_as_heketi_reads_them(vector: Vector) -> None:
    options = parsed(vector["options"])
    assert options.arbiter == vector["arbiter"]
    assert (options.average_file_size_kib or SERVER_AVERAGE_KIB) == vector["average_file_size_kib"]
    assert options.zone_checking == vector["zone_checking"]
    if "tag_rule_error" in vector:
        with pytest.raises(TagRuleError) as error:
            TagRule.parse(options.tag_rule)
        assert str(error.value) == vector["tag_rule_error"]
    elif vector["tag_rule"] is None:
        assert options.tag_rule == ""
    else:
        rule = TagRule.parse(options.tag_rule)
        assert [rule.key, rule.op, rule.value] == vector["tag_rule"]


@vectors("effective_options")
def test_the_stored_options_are_those_that_heketi_stores(vector: Vector) -> None:
    effective = effective_options(
        vector["pre"], vector["post"], vector["block_options"], vector["request"], vector["block"]
    )
    assert list(effective) == vector["effective"]


@pytest.mark.parametrize(
    ("durability", "arbiter"),
    [
        (Durability(DurabilityType.REPLICATE, replica=3), True),
        (Durability(DurabilityType.REPLICATE, replica=2), False),
        (Durability(DurabilityType.REPLICATE), False),
        (Durability(DurabilityType.DISPERSE, data=2, redundancy=1), False),
        (Durability(), False),
    ],
)
def test_the_arbiter_option_means_something_for_replica_3_alone(durability: Durability, arbiter: bool) -> None:
    assert has_arbiter(durability, ["user.heketi.arbiter true"]) == arbiter
    assert not has_arbiter(durability, ["user.heketi.arbiter true", "user.heketi.arbiter false"])


@pytest.mark.parametrize("text", ["٣", "1" * 5000, "²"])
def test_an_odd_number_is_no_average_file_size(text: str) -> None:
    assert parsed([f"user.heketi.average-file-size {text}"]).average_file_size_kib == 0


@pytest.mark.parametrize(
    ("option", "server", "strict"),
    [
        ("", "strict", True),
        ("", "none", False),
        ("none", "strict", False),
        ("strict", "", True),
        ("Strict", "strict", False),
    ],
)
def test_a_volume_s_own_word_on_zones_wins(option: str, server: str, strict: bool) -> None:
    assert zones_must_differ(option, server) == strict
