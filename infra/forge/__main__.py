"""`python -m infra.forge` checks the Forge manifests that are made of the repository's descriptor.

Exit code 0 also where it could not check, without Node or without a registry; it says so then.
"""

import sys
from pathlib import Path

from infra.forge.check import check
from infra.forge.samples import URL, samples
from infra.forge.validator import CACHE, PACKAGE, NotFetched, NotHere, validator
from relay_cli.forge import as_yaml


def main(cache: Path = CACHE) -> int:
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
    print(f"{PACKAGE} {found.version} takes the Forge manifest {', '.join(texts)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
