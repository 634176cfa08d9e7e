"""Measuring servers that speak heketi's API: heketipy, and a given heketi beside it. Run by `make bench`."""
