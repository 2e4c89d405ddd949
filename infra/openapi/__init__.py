"""The OpenAPI document of Relay's HTTP API, generated from the code.

Routes come from the template, operations from the handlers, schemas from the models
and `relay.edge.shapes`, errors from the code that raises them, examples from document.yaml.
"""
