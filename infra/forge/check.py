"""Finds all problems of manifests."""

from collections.abc import Mapping

import yaml

from infra.forge.rules import closed, problems
from infra.forge.validator import Validator


def check(texts: Mapping[str, str], validator: Validator) -> dict[str, list[str]]:
    """The problems of the YAML texts, by the text's name; a valid text is left out.

    A warning of the validator counts as a problem.
    """
    reported = validator.messages(texts)
    schema = closed(validator.schema)
    found = {
        name: [*reported[name], *problems(yaml.safe_load(text), schema)]
        for name, text in texts.items()
    }
    return {name: messages for name, messages in found.items() if messages}
