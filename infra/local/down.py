"""`make down`: stops the stack that `make up` started, and removes its files."""

import shutil
import sys

from infra.local.failure import reported
from infra.local.paths import STACK_FOLDER
from infra.local.processes import stop_groups
from infra.local.stack import FolderInUse, groups_in, lock_of
from infra.local.stack_file import remove_stack_files


def main() -> int:
    """Stops the stack, and prints whether one was running. Exit code: 0."""
    if not STACK_FOLDER.exists():
        print("Nothing is up.")
        return 0
    was_up = end_stack()
    print("The stack is down." if was_up else "Nothing is up; removed the files of a killed stack.")
    return 0


def end_stack() -> bool:
    """Stops the stack and removes its files. Returns whether it was running."""
    was_up = False
    try:
        with lock_of(STACK_FOLDER):
            pass
    except FolderInUse:
        was_up = True
        stop_groups(groups_in(STACK_FOLDER))
    remove_stack_files()
    shutil.rmtree(STACK_FOLDER, ignore_errors=True)
    return was_up


if __name__ == "__main__":
    sys.exit(reported(main))
