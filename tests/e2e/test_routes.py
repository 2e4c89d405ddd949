"""The stack's API has exactly the template's routes, each with its function."""

from infra.local.deploy import API_ID
from infra.local.stack import Stack
from tests.support.template import resources

CATCH_ALL = "$default"


def test_the_stack_has_the_routes_of_the_template(stack: Stack) -> None:
    assert dict(deployed(stack)) == {
        key: stack.deployment.functions[function] + _qualifier(function)
        for key, function in in_template()
    }


def in_template() -> list[tuple[str, str]]:
    return [
        (_key(event["Properties"]), function)
        for function, properties in resources("AWS::Serverless::Function").items()
        for event in properties.get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]


def deployed(stack: Stack) -> list[tuple[str, str]]:
    """(route key, physical name of the function, with its alias if that is called)"""
    api = stack.aws.api_gateway
    integrations = {
        f"integrations/{integration['IntegrationId']}": integration["IntegrationUri"]
        for integration in api.get_integrations(ApiId=API_ID)["Items"]
    }
    return [
        (route["RouteKey"], integrations[route["Target"]].partition(":function:")[2])
        for route in api.get_routes(ApiId=API_ID)["Items"]
    ]


def _qualifier(function: str) -> str:
    alias = resources("AWS::Serverless::Function")[function].get("AutoPublishAlias")
    return f":{alias}" if alias else ""


def _key(event: dict[str, str]) -> str:
    return f"{event['Method']} {event['Path']}" if "Path" in event else CATCH_ALL
