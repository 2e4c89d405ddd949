"""The template's parameters that the user of the local stack chooses."""

import os

from infra.lambdas.template import template
from infra.local.failure import StackFailure

VARIABLE = "RELAY_PARAMETERS"


def chosen_parameters() -> dict[str, str]:
    """The values in the environment, as in `RELAY_PARAMETERS="SnapStart=on LogLevel=DEBUG"`.

    SAM CLI ignores a name that the template does not have. Raises StackFailure for one, and for a
    name without a value.
    """
    chosen = {}
    for pair in os.environ.get(VARIABLE, "").split():
        name, _, value = pair.partition("=")
        if name not in template()["Parameters"]:
            raise StackFailure(
                f"{VARIABLE} names {name}, which is not a parameter of the template."
            )
        if not value:
            raise StackFailure(f"{VARIABLE} gives {name} no value. Write {name}=value.")
        chosen[name] = value
    return chosen
