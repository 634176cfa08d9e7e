"""Logs and metrics: how they are written, and which there are. What is worth telling is decided elsewhere."""
