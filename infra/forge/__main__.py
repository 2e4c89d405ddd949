"""`python -m infra.forge` checks the Forge manifests for the repository's descriptor.

Without Node or a registry it can't check them: it prints the reason and exits with 0.
"""

import sys
from pathlib import Path

from infra.forge.check import check
from infra.forge.samples import URL, samples
from infra.forge.validator import CACHE, PACKAGE, NotFetched, NotHere, validator
from relay_cli.forge import as_yaml


def main(cache: Path = CACHE) -> int:
    """Returns the exit code: 1 if a manifest has a problem."""
    try:
        found = validator(cache)
    except (NotHere, NotFetched) as missing:
        print(f"The Forge manifest was not checked: {missing}")
        return 0
    texts = {name: as_yaml(made.document, URL) for name, made in samples()}
    wrong = check(texts, found)
    for name, problems in wrong.items():
        print(f"The Forge manifest {name}:", *problems, sep="\n  ", file=sys.stderr)
    if wrong:
        return 1
    print(f"{PACKAGE} {found.version} accepts the Forge manifest {', '.join(texts)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
