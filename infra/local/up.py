"""`make up`: starts a stack that stays, and says how to reach it."""

import shutil
import sys

from infra.local.failure import StackFailure
from infra.local.first_tenant import set_up
from infra.local.paths import STACK_FILE, STACK_FOLDER
from infra.local.stack import FolderInUse, Options, Stack, ending_in_order, lock_of, start_stack
from infra.local.stack_file import read_stack_file, write_stack_file


def main() -> int:
    STACK_FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with ending_in_order(), lock_of(STACK_FOLDER) as lock:
            _forget_dead_stack()
            _furnish(start_stack(STACK_FOLDER, lock, Options(), print))
    except FolderInUse:
        return _already_there()
    except StackFailure as failure:
        print(failure, file=sys.stderr)
        return 1
    _tell()
    return 0


def _furnish(stack: Stack) -> None:
    try:
        write_stack_file(stack, set_up(stack))
    except BaseException:
        stack.stop()
        raise


def _forget_dead_stack() -> None:
    """Whoever holds the lock is alone: what lies here is left of a stack that was killed."""
    STACK_FILE.unlink(missing_ok=True)
    for path in STACK_FOLDER.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()


def _already_there() -> int:
    if not STACK_FILE.exists():
        print("Another command is starting the stack. `make down` ends it.", file=sys.stderr)
        return 1
    print("The stack is up already.")
    _tell()
    return 0


def _tell() -> None:
    stack = read_stack_file()
    print(f"Relay  {stack['api']}")
    print(f"Jira   {stack['sites'][0]['baseUrl']}")
    print(f"AWS    {stack['aws']['endpoint']}")
    print(f"Keys and secrets are in {STACK_FILE}; `make down` ends the stack.")


if __name__ == "__main__":
    sys.exit(main())
