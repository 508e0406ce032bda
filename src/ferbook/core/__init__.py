"""The nouns that everything else is written in: classes, recipe, run; files, lock, provenance.

Imports nothing of ferbook.
"""
