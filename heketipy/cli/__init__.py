"""heketi-cli: heketi's command line, byte for byte, over the Python client."""
