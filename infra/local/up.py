"""`make up`: starts a stack that stays, and says how to reach it."""

import shutil
import sys
from functools import partial

import httpx

from infra.local.down import end_stack
from infra.local.failure import told
from infra.local.first_tenant import set_up
from infra.local.paths import STACK_FILE, STACK_FOLDER, VARIABLES_FILE
from infra.local.stack import FolderInUse, Options, Stack, ending_in_order, lock_of, start_stack
from infra.local.stack_file import read_stack_file, remove_stack_files, write_stack_files

# For each part of a stack that is up already.
ANSWER_SECONDS = 5.0


def main() -> int:
    try:
        _start()
    except FolderInUse:
        if not STACK_FILE.exists():
            print("Another command is starting the stack. `make down` ends it.", file=sys.stderr)
            return 1
        try:
            answers = _answers()
        except httpx.TimeoutException:
            print(
                f"The stack is up, and has not answered within {ANSWER_SECONDS:g} seconds. "
                "Try again; if that does not help, `make down` ends it.",
                file=sys.stderr,
            )
            return 1
        if answers:
            print("The stack is up already.")
        else:
            print("A part of the stack has ended. Starting it again, with nothing in it.")
            end_stack()
            _start()
    _tell()
    return 0


def _start() -> None:
    """Raises FolderInUse where something of a stack lives, or starts."""
    STACK_FOLDER.mkdir(parents=True, exist_ok=True)
    with ending_in_order(), lock_of(STACK_FOLDER) as lock:
        _forget_dead_stack()
        # At once, also into a pipe: it takes a while.
        tell = partial(print, flush=True)
        _furnish(start_stack(STACK_FOLDER, lock, Options(), tell))


def _furnish(stack: Stack) -> None:
    try:
        write_stack_files(stack, set_up(stack))
    except BaseException:
        stack.stop()
        raise


def _forget_dead_stack() -> None:
    """Whoever holds the lock is alone: what lies here is left of a stack that was killed."""
    remove_stack_files()
    for path in STACK_FOLDER.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()


def _answers() -> bool:
    """Whether every part does: the function behind the API, and the Jira site. Raises
    TimeoutException where one is slow, which is no reason to throw away what it holds."""
    stack = read_stack_file()
    urls = (f"{stack['api']}/health", stack["sites"][0]["baseUrl"])
    try:
        answers = [httpx.get(url, timeout=ANSWER_SECONDS, trust_env=False) for url in urls]
    except httpx.TimeoutException:
        raise
    except httpx.HTTPError:
        return False
    return all(answer.is_success for answer in answers)


def _tell() -> None:
    stack = read_stack_file()
    print(f"Relay  {stack['api']}")
    print(f"Jira   {stack['sites'][0]['baseUrl']}")
    print(f"AWS    {stack['aws']['endpoint']}")
    print(f"Keys and secrets are in {STACK_FILE}, and for a shell in {VARIABLES_FILE}.")
    print("`make down` ends the stack.")


if __name__ == "__main__":
    sys.exit(told(main))
