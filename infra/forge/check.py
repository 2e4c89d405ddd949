"""Finds all problems of manifests."""

from collections.abc import Mapping

import yaml

from infra.forge.page_rules import page_problems
from infra.forge.rules import closed, problems
from infra.forge.samples import PAGE_FILES
from infra.forge.validator import Validator


def check(texts: Mapping[str, str], validator: Validator) -> dict[str, list[str]]:
    """The problems of the YAML texts, by the text's name; a valid text is left out.

    A warning of the validator counts as a problem.
    """
    reported = validator.messages(texts, PAGE_FILES)
    schema = closed(validator.schema)
    found = {}
    for name, text in texts.items():
        document = yaml.safe_load(text)
        found[name] = [*reported[name], *problems(document, schema), *page_problems(document)]
    return {name: messages for name, messages in found.items() if messages}
