"""The OpenAPI document of Relay's whole HTTP surface, made of what the code already says.

Paths and methods come from the template, schemas and limits from the models, errors from
`relay.errors`; what an operation is for, and its examples, stand in one table per area.
"""
