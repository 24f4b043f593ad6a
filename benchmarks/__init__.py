"""How fast the ops are, compared with what a user could choose instead. Run ``python -m benchmarks``."""
