"""What an image of FER-2013 is: 48 px a side, of one of seven expressions."""

from __future__ import annotations

CLASSES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""Class order everywhere: alphabetical, as Keras reads the folders of the Kaggle archive."""
SIDE = 48  # px
