"""From a recipe to a finished run. Needs TensorFlow, which is imported at module level here.

Imports `core`, `data` and `results`.
"""
