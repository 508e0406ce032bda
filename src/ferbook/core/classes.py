"""The seven expressions, in the order that every array of the project uses."""

from __future__ import annotations

CLASSES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""Class order everywhere: alphabetical, as Keras reads the folders of the Kaggle archive."""
