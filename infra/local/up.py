"""`make up`: starts a stack that keeps running, and prints its URLs."""

import shutil
import sys
from functools import partial

import httpx

from infra.local.down import end_stack
from infra.local.failure import reported
from infra.local.first_tenant import set_up
from infra.local.parameters import VARIABLE, chosen_parameters
from infra.local.paths import STACK_FILE, STACK_FOLDER, VARIABLES_FILE
from infra.local.stack import FolderInUse, Options, Stack, ending_in_order, lock_of, start_stack
from infra.local.stack_file import read_stack_file, remove_stack_files, write_stack_files

# For each part of a stack that is already up.
ANSWER_SECONDS = 5.0


def main() -> int:
    """Starts the stack unless it is up, and prints its URLs. Exit code: 0, or 1 if it can't."""
    try:
        _start()
    except FolderInUse:
        if not STACK_FILE.exists():
            print("Another command is starting the stack. `make down` stops it.", file=sys.stderr)
            return 1
        try:
            answers = _answers()
        except httpx.TimeoutException:
            print(
                f"The stack is up, but did not answer within {ANSWER_SECONDS:g} seconds. "
                "Try again; if that does not help, `make down` stops it.",
                file=sys.stderr,
            )
            return 1
        if answers:
            print("The stack is already up.")
            if chosen_parameters():
                print(f"{VARIABLE} has no effect on it: `make down` first.", file=sys.stderr)
        else:
            print("A part of the stack has ended. Starting a new, empty stack.")
            end_stack()
            _start()
    _print_urls()
    return 0


def _start() -> None:
    """Raises FolderInUse if a stack, or a part of one, is running or starting."""
    STACK_FOLDER.mkdir(parents=True, exist_ok=True)
    with ending_in_order(), lock_of(STACK_FOLDER) as lock:
        _forget_dead_stack()
        # Flushed, because the start takes a while and the output may be a pipe.
        report = partial(print, flush=True)
        _set_up(start_stack(STACK_FOLDER, lock, Options(), report))


def _set_up(stack: Stack) -> None:
    try:
        write_stack_files(stack, set_up(stack))
    except BaseException:
        stack.stop()
        raise


def _forget_dead_stack() -> None:
    """Removes the files of a killed stack. The caller holds the lock, so none is running."""
    remove_stack_files()
    for path in STACK_FOLDER.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()


def _answers() -> bool:
    """Whether the API and the Jira site answer. Raises httpx.TimeoutException if one is slow: a
    slow stack keeps its data."""
    stack = read_stack_file()
    urls = (f"{stack['api']}/health", stack["sites"][0]["baseUrl"])
    try:
        answers = [httpx.get(url, timeout=ANSWER_SECONDS, trust_env=False) for url in urls]
    except httpx.TimeoutException:
        raise
    except httpx.HTTPError:
        return False
    return all(answer.is_success for answer in answers)


def _print_urls() -> None:
    stack = read_stack_file()
    print(f"Relay  {stack['api']}")
    print(f"Jira   {stack['sites'][0]['baseUrl']}")
    print(f"AWS    {stack['aws']['endpoint']}")
    print(f"Keys and secrets are in {STACK_FILE}, and as shell variables in {VARIABLES_FILE}.")
    print("`make down` stops the stack.")


if __name__ == "__main__":
    sys.exit(reported(main))
