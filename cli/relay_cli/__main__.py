"""`python -m relay_cli`, and the console script."""

import sys


def main() -> None:
    """Runs the command. Exits with advice if the packages of the extra `cli` are missing."""
    try:
        from relay_cli.app import main as run
    except ModuleNotFoundError as error:
        sys.exit(f'relay: the package {error.name} is missing: pip install ".[cli]"')
    run()


if __name__ == "__main__":
    main()
