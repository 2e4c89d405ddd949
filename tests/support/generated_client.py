"""A Python client generated from docs/openapi.json."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from infra.openapi.__main__ import PATH

PACKAGE = "relay_client_from_openapi"


@contextmanager
def generated_client(folder: Path) -> Iterator[ModuleType]:
    """The client's package, which can be imported within the context."""
    options = ConfigFile(package_name_override=PACKAGE, post_hooks=[])
    config = Config.from_sources(
        options,
        MetaType.NONE,
        document_source=PATH,
        file_encoding="utf-8",
        overwrite=False,
        output_path=folder / PACKAGE,
    )
    # The only thing that the generator leaves out: a picture is no response for a program.
    assert [error.header for error in generate(config=config)] == [
        "WARNING parsing GET /logo.svg within public."
    ]
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module(PACKAGE)
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]
