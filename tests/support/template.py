"""template.yaml for the tests: tables, queues, routes and environment come from it."""

from infra.lambdas.template import ROOT, functions, resources, routes, template

__all__ = ["ROOT", "functions", "resources", "routes", "template"]
