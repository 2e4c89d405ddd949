"""What differs while Lambda initializes a function: garbage collection, and a snapshot.

Objects that are loaded at init live until the process ends. Scanning them for garbage costs a
seventh of a cold start and, later, tens of milliseconds of some invocations, and frees nothing.

With SnapStart, Lambda initializes a function once, takes a snapshot of its memory, and starts every
process from it. So it must contain what calls need, and nothing that must differ between processes.
"""

import gc
import os
from collections.abc import Callable

# Set by Lambda. Elsewhere, as in the command line and the tests, this module changes nothing.
_IN_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME"
_TYPE, _SNAPSHOT = "AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start"


def begin() -> None:
    """Pause garbage collection until `end`, in Lambda only."""
    if _IN_LAMBDA in os.environ:
        gc.disable()


def before_snapshot(action: Callable[[], object]) -> None:
    """Do this if Lambda takes a snapshot afterwards, such as loading what only some calls need: a
    start from a snapshot takes no longer for it.
    """
    if os.environ.get(_TYPE) == _SNAPSHOT:
        action()


def end() -> None:
    """Resume garbage collection, for objects that are created from now on."""
    before_snapshot(_seed_after_restore)
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _seed_after_restore() -> None:
    """Otherwise all processes of a snapshot would wait equally long before they retry. What must
    be unpredictable comes from the operating system, which a snapshot does not repeat.
    """
    import random

    from snapshot_restore_py import register_after_restore  # part of Lambda's runtime

    register_after_restore(random.seed)
