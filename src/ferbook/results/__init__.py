"""The result store and what is computed from it: scores, studies, label issues.

Imports `core` and `data`.
"""
