"""The storage nodes: how they are reached, and what is run on them."""
