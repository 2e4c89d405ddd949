"""The memory of a function while Lambda starts it.

What is loaded then stays until the process ends. To look through it for garbage takes a seventh of
a cold start, and later tens of milliseconds of some invocations, and finds nothing worth having.
"""

import gc
import os

# Lambda sets it; elsewhere, as in the command line and the tests, nothing is changed.
_IN_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME"


def begin() -> None:
    """Collect no garbage until `end`."""
    if _IN_LAMBDA in os.environ:
        gc.disable()


def end() -> None:
    """Collect garbage from here on, in what is made from here on."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
