"""AWS clients of the command line; nothing else in `millrace/` makes one."""

from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from millrace.environments import Environment

# A local client must not look for the user's profile, which need not exist here.
NO_PROFILE: dict[str, Any] = {"profile": (None, [], None, None)}


def client(environment: Environment, service: str, config: Config | None = None) -> Any:
    """A client for one AWS service of the environment, by boto3's name of the service.

    `config` is for who cannot wait as long as botocore does, which is minutes.

    Local AWS is reached with its own keys whatever the user's environment says; an environment on
    AWS with the user's own credentials.
    """
    if not environment.is_local:
        session = boto3.Session(region_name=environment.text("region"))
        return session.client(service, config=config)
    core = botocore.session.Session(session_vars=NO_PROFILE)
    session = boto3.Session(
        aws_access_key_id=environment.client["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment.client["AWS_SECRET_ACCESS_KEY"],
        region_name=environment.client["AWS_REGION"],
        botocore_session=core,
    )
    # A proxy of the machine must not take requests for the loopback address.
    local = Config(proxies={}, retries={"max_attempts": 2}, s3={"addressing_style": "path"})
    endpoint = environment.client["AWS_ENDPOINT_URL"]
    return session.client(service, endpoint_url=endpoint, config=local.merge(config or Config()))
