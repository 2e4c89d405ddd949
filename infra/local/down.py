"""`make down`: ends what `make up` started, and removes what it left."""

import shutil
import sys

from infra.local.failure import told
from infra.local.paths import STACK_FOLDER
from infra.local.processes import stop_groups
from infra.local.stack import FolderInUse, groups_in, lock_of
from infra.local.stack_file import remove_stack_files


def main() -> int:
    if not STACK_FOLDER.exists():
        print("Nothing is up.")
        return 0
    was_up = end_stack()
    print("The stack is down." if was_up else "Nothing is up; removed what a killed stack left.")
    return 0


def end_stack() -> bool:
    """Whether anything of it lived."""
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
    sys.exit(told(main))
