"""How fast the ops are beside what a user could pick instead. Run ``python -m benchmarks``."""
