"""Paths of the project and its tools, which the Makefile fetches into `.relay/`."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".relay"

UV = TOOLS / "uv" / "bin" / "uv"
SAM = TOOLS / "sam" / "bin" / "sam"
MINISTACK_PYTHON = TOOLS / "ministack" / "bin" / "python"

BUILDS = TOOLS / "builds"
# The folder of the stack of `make up`; tests set another one.
STATE = Path(os.environ.get("RELAY_STATE", TOOLS))
STACK_FOLDER = STATE / "stack"
STACK_FILE = STATE / "stack.json"
# Shell variables for calls to the API.
VARIABLES_FILE = STATE / "stack.env"
