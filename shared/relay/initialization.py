"""Garbage collection while Lambda initializes a function.

Objects that are loaded at init live until the process ends. Scanning them for garbage costs a
seventh of a cold start and, later, tens of milliseconds of some invocations, and frees nothing.
"""

import gc
import os

# Set by Lambda. Elsewhere, as in the command line and the tests, this module changes nothing.
_IN_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME"


def begin() -> None:
    """Pause garbage collection until `end`, in Lambda only."""
    if _IN_LAMBDA in os.environ:
        gc.disable()


def end() -> None:
    """Resume garbage collection, for objects that are created from now on."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
