"""Benchmarks: ratios and counts, and a table for each in docs/benchmarks.md. `python -m benchmarks [NAME…]`."""
