"""HTTP in: thin routes over the services, in heketi's words (routing, authentication, bodies, statuses, texts)."""
