"""From pictures to answers with an exported model: no TensorFlow, no network.

Imports `core` and `data`.
"""
