"""The row of numbers that finds the next large one."""

from hypothesis import given, settings
from hypothesis import strategies as st

from heketipy.domain.placement.max_tree import MaxTree

numbers = st.integers(0, 9)


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(numbers, max_size=20),
    changes=st.lists(st.tuples(st.integers(0, 19), numbers), max_size=10),
    bound=st.integers(0, 9),
)
def test_the_tree_answers_as_a_list_would(values: list[int], changes: list[tuple[int, int]], bound: int) -> None:
    tree = MaxTree(values)
    values = list(values)
    for index, value in changes:
        if index < len(values):
            tree.set(index, value)
            values[index] = value
    assert tree.maximum == max(values, default=-1)
    for begin in range(40):
        expected = next((i for i in range(begin, len(values)) if values[i] > bound), -1)
        assert tree.after(begin, bound) == expected
