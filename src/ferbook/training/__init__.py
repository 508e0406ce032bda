"""From a recipe to a finished run. Needs TensorFlow, which is imported at module level here.

Imports `core`, `data`, `results` and, for landmarks, `inference`.
"""

import os
import platform

# By itself TensorFlow uses oneDNN only where it finds AVX-512 VNNI. Without oneDNN the same
# processor, one with AVX2 alone, trains at half the speed.
if platform.machine() in ("x86_64", "AMD64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
