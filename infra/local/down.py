"""`make down`: ends what `make up` started, and removes what it left."""

import shutil
import sys

from infra.local.paths import STACK_FILE, STACK_FOLDER
from infra.local.processes import stop_groups
from infra.local.stack import FolderInUse, groups_in, lock_of


def main() -> int:
    if not STACK_FOLDER.exists():
        print("Nothing is up.")
        return 0
    try:
        with lock_of(STACK_FOLDER):
            print("Nothing is up; removing what a killed stack left.")
    except FolderInUse:
        stop_groups(groups_in(STACK_FOLDER))
        print("The stack is down.")
    STACK_FILE.unlink(missing_ok=True)
    shutil.rmtree(STACK_FOLDER, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
