"""The programs `heketipy` and `heketi`, and the only place where settings become objects."""
