"""`python -m infra.jira_simulator`: a simulator on the loopback interface, until SIGTERM."""

import argparse
from pathlib import Path

from .install_keys import new_install_key, read_install_key
from .server import serve
from .settings import FORGOTTEN, REMEMBERED, Settings


def main() -> None:
    """Reads the command line and serves until SIGTERM or SIGINT."""
    arguments = _arguments()
    if arguments.install_key:
        key = read_install_key(arguments.install_key.read_bytes())
    else:
        key = new_install_key()
    settings = Settings()
    settings.merge(
        {
            "visibleAfterSeconds": arguments.visible_after_seconds,
            "maxBodyBytes": arguments.max_body_bytes,
            "answerDelaySeconds": arguments.answer_delay_seconds,
            "sequencesAfterDeletion": arguments.sequences_after_deletion,
        }
    )
    serve(arguments.host, arguments.port, key, settings, arguments.ready_file)


def _arguments() -> argparse.Namespace:
    defaults = Settings()
    parser = argparse.ArgumentParser(prog="python -m infra.jira_simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0, the default, uses a free port")
    parser.add_argument(
        "--ready-file",
        type=Path,
        help="receives url, kid and pem as JSON once the simulator answers",
    )
    parser.add_argument(
        "--install-key", type=Path, help="PEM of an RSA private key; by default, a new one"
    )
    parser.add_argument(
        "--visible-after-seconds", type=float, default=defaults.visible_after_seconds
    )
    parser.add_argument("--max-body-bytes", type=int, default=defaults.max_body_bytes)
    parser.add_argument("--answer-delay-seconds", type=float, default=defaults.answer_delay_seconds)
    parser.add_argument(
        "--sequences-after-deletion",
        choices=[FORGOTTEN, REMEMBERED],
        default=defaults.sequences_after_deletion,
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
