"""ferbook: the functions behind an executable paper on FER-2013.

Importing this package does nothing: no folders, no logging, no TensorFlow.
"""
