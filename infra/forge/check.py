"""Everything that is known to be wrong with manifests."""

from collections.abc import Mapping

import yaml

from infra.forge.rules import closed, problems
from infra.forge.validator import Validator


def check(texts: Mapping[str, str], validator: Validator) -> dict[str, list[str]]:
    """What is wrong with each YAML text, by the text's name; those that are right are not there.

    A warning of the validator counts as well.
    """
    said = validator.messages(texts)
    schema = closed(validator.schema)
    found = {
        name: [*said[name], *problems(yaml.safe_load(text), schema)] for name, text in texts.items()
    }
    return {name: messages for name, messages in found.items() if messages}
