"""template.yaml as the tests read it: tables, queues, routes and environment come from there."""

from infra.lambdas.template import ROOT, functions, resources, routes, template

__all__ = ["ROOT", "functions", "resources", "routes", "template"]
