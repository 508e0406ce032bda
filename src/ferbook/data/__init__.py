"""Faces: where they come from, how they are split, what an audit of them finds.

Imports `core`.
"""
