"""Where the HTTP API of an environment answers."""

from typing import Any


def reachable(outputs: dict[str, Any], endpoint: str) -> dict[str, Any]:
    """The outputs of a local environment with an `api_url` that this machine can reach.

    Local AWS serves every API under its own address; the host name in Terraform's `api_url` is
    one that DNS does not know. `endpoint` is the address of local AWS, without a trailing slash.
    """
    if not outputs.get("api_id"):
        return outputs
    return {**outputs, "api_url": f"{endpoint}/_aws/execute-api/{outputs['api_id']}/$default"}
