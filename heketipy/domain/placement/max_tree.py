"""A row of numbers that answers "which is the next one above …?" without looking at each."""

from collections.abc import Sequence


class MaxTree:
    """A segment tree of maxima over a row of fixed length. Numbers are at least 0. All but building is O(log
    n).
    """

    __slots__ = ("_nodes", "_width")

    def __init__(self, values: Sequence[int]) -> None:
        self._width = 1 << max(len(values) - 1, 0).bit_length()
        padding = [-1] * (self._width - len(values))
        nodes = [-1] * self._width + list(values) + padding
        for i in range(self._width - 1, 0, -1):
            nodes[i] = max(nodes[2 * i], nodes[2 * i + 1])
        self._nodes = nodes

    @property
    def maximum(self) -> int:
        """The largest number, -1 of an empty row."""
        return self._nodes[1]

    def set(self, index: int, value: int) -> None:
        """Replace a number."""
        nodes = self._nodes
        i = index + self._width
        nodes[i] = value
        while i > 1:
            largest = max(nodes[i], nodes[i ^ 1])
            i >>= 1
            if nodes[i] == largest:
                return
            nodes[i] = largest

    def after(self, index: int, bound: int) -> int:
        """Return the first index, from the given one on, whose number is above the bound; -1 if there is
        none.

        An index at the row's end or beyond finds nothing.
        """
        nodes, width = self._nodes, self._width
        if index >= width:
            return -1
        i = index + width
        while nodes[i] <= bound:
            while i & 1:  # a right child, or the root: go up
                i >>= 1
            if i == 0:
                return -1
            i += 1
        while i < width:
            i *= 2
            if nodes[i] <= bound:
                i += 1
        return i - width
