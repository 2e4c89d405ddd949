"""`python -m infra.openapi` writes docs/openapi.json; `--check` only checks that it is current."""

import argparse
import json
import sys
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

from infra.openapi.document import document

PATH = Path(__file__).parents[2] / "docs" / "openapi.json"


def main() -> int:
    """Returns the exit code: 1 if `--check` finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m infra.openapi", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the file is out of date"
    )
    check = parser.parse_args().check
    generated = document()
    OpenAPIV31SpecValidator(generated).validate()
    text = json.dumps(generated, indent=2, ensure_ascii=False) + "\n"
    if not check:
        PATH.write_text(text, "utf-8")
    elif not PATH.exists() or PATH.read_text("utf-8") != text:
        print("docs/openapi.json is out of date: run `make openapi`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
