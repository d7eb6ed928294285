"""AWS clients of the command line; nothing else in `millrace/` makes one."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from millrace.environments import Environment


# A local client must not look for the user's profile, which need not exist here.
NO_PROFILE: dict[str, Any] = {"profile": (None, [], None, None)}

_SESSIONS: dict[tuple[str, ...], boto3.Session] = {}
_LOCK = threading.Lock()


def client(environment: "Environment", service: str, config: Config | None = None) -> Any:
    """A client for one AWS service of the environment, by boto3's name of the service.

    `config` is for who cannot wait as long as botocore does, which is minutes.

    Local AWS is reached with its own keys whatever the user's environment says; an environment on
    AWS with the user's own credentials.
    """
    # A session makes one client at a time: what it shares between them is not locked.
    with _LOCK:
        if not environment.is_local:
            return session(environment.text("region")).client(service, config=config)
        # A proxy of the machine must not take requests for the loopback address.
        local = Config(proxies={}, retries={"max_attempts": 2}, s3={"addressing_style": "path"})
        endpoint = environment.client["AWS_ENDPOINT_URL"]
        return _local_session(environment).client(
            service, endpoint_url=endpoint, config=local.merge(config or Config())
        )


def session(region: str | None = None) -> boto3.Session:
    """The process's session on AWS, made once a region; None: the user's own.

    It holds the user's credentials, which an SSO or a role may take a second to give, and for
    which MFA asks a person.
    """
    return _once(("aws", region or ""), lambda: boto3.Session(region_name=region))


def _local_session(environment: "Environment") -> boto3.Session:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
    key, secret, region = (environment.client[name] for name in names)
    return _once(
        ("local", key, secret, region),
        lambda: boto3.Session(
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            region_name=region,
            botocore_session=botocore.session.Session(session_vars=NO_PROFILE),
        ),
    )


def _once(key: tuple[str, ...], make: Callable[[], boto3.Session]) -> boto3.Session:
    if key not in _SESSIONS:
        _SESSIONS[key] = make()
    return _SESSIONS[key]
