"""Values and rules of the field. Pure: no I/O, no clock, no chance, no framework."""
