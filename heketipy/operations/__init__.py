"""Sagas: what is done on the nodes for each kind of request, step by step, and how each step is taken back."""
