"""The settings of an installation whose collected static files lie in a folder of its own.

So tests neither need nor touch those of the checkout.
"""

import os
from pathlib import Path

from djamon.settings import *  # noqa: F403

VAR_DIR = Path(os.environ["TEST_VAR_DIR"])
STATIC_ROOT = VAR_DIR / "static"
