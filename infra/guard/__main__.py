"""`python -m infra.guard` checks the template against AWS Control Tower's rules, with the
exceptions of `infra/guard/exceptions.py`.

Without npm, a registry or a binary for this machine it can't check: it prints the reason and exits
with 0.
"""

import sys

from infra.guard.check import Failure, problems
from infra.guard.exceptions import EXCEPTIONS
from infra.guard.rules import PACKAGE, failures
from infra.guard.translated import translated
from infra.local.failure import StackFailure
from infra.npm_package import NotFetched


def main() -> int:
    """Returns the exit code: 1 if a rule fails without an exception."""
    try:
        found: list[Failure] = failures(translated())
    except NotFetched as missing:
        print(f"The template was not checked against AWS's rules: {missing}")
        return 0
    except StackFailure as failure:
        print(failure, file=sys.stderr)
        return 1
    wrong = problems(found, EXCEPTIONS)
    if wrong:
        print("The template and AWS's rules:", *wrong, sep="\n  ", file=sys.stderr)
        return 1
    print(
        f"{PACKAGE.name} {PACKAGE.version} accepts the template, with {len(EXCEPTIONS)} exceptions."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
