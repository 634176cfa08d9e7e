"""heketipy: volumes on your own disks by one HTTP call. A drop-in, better heketi for GlusterFS."""

__version__ = "0.1.0"
