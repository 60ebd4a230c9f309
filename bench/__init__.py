"""Benchmarks: one module per name, each measured beside its limit or its peer in the same run."""
