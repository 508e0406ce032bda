"""The original under examination: published tables by arithmetic, claims by evidence.

Imports `core`, `data` and `results`.
"""
