"""What a brick charges its device; what a block-hosting volume keeps back."""

from heketipy.domain.capacity import block_reserve, charge, fits, float32
from tests.domain.heketi_vectors import Vector, vectors


@vectors("brick_charge")
def test_a_brick_charges_what_heketi_charges(vector: Vector) -> None:
    asked = charge(vector["size_kib"], vector["snapshot_factor"], vector["extent_kib"])
    assert asked.tp_size_kib == vector["tp_size_kib"]
    assert asked.pool_metadata_kib == vector["metadata_kib"]
    assert asked.total_kib == vector["charged_kib"]


@vectors("brick_fit")
def test_a_brick_fits_only_where_more_than_its_charge_is_free(vector: Vector) -> None:
    asked = charge(vector["size_kib"], vector["snapshot_factor"], vector["extent_kib"])
    fitting = fits(vector["free_kib"], asked)
    assert fitting == vector["fits"]
    used_kib = asked.total_kib if fitting else 0
    assert used_kib == vector["used_kib_after"]
    assert vector["free_kib"] - used_kib == vector["free_kib_after"]


@vectors("block_reserve")
def test_a_hosting_volume_keeps_back_what_heketi_keeps_back(vector: Vector) -> None:
    reserve = block_reserve(vector["raw_gib"])
    assert (reserve.free_gib, reserve.reserved_gib) == (vector["free_gib"], vector["reserved_gib"])


def test_a_factor_is_rounded_once_and_stays_what_it_is() -> None:
    assert float32(1.1) == 1.10000002384185791015625
    assert float32(float32(1.1)) == float32(1.1)
    assert float32(1.5) == 1.5
