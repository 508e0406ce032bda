"""The nouns that everything else is written in: classes, recipe; files, lock, provenance.

Imports nothing of ferbook.
"""
