"""From the result store to the book: tables, figures, numbers, staging, verification.

Imports `core`, `data`, `results`, `claims` and `inference`; never TensorFlow.
"""
