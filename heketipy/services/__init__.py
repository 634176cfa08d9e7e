"""Use cases. Each shows its transactions; what takes long is reserved here and carried out by the operations."""
