"""A run as Keras, ONNX and LiteRT files, and what each costs and loses. Needs TensorFlow.

Imports `core`, `data`, `results`, `training` and `inference`.
"""
