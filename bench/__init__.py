"""Benchmarks and evaluation; see bench/README.md."""
