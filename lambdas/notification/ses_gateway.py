"""E-mail by Amazon SES (API v2), from templates that Terraform makes."""

from typing import Any

import msgspec

from lambdas.core import aws
from lambdas.core.errors import Poison
from lambdas.notification.domain import Mail

_REFUSED_FOR_EVER = frozenset({"MessageRejected", "BadRequestException"})


class NotSent(Exception):
    """SES did not take the e-mail, for now. Any other exception leaves open whether it did."""


class SesGateway:
    """`client` is a botocore client, by default the process's own.

    SES has no idempotency key, so the client tries once: a repetition after a time-out could be a
    second e-mail, and whether to risk it is not for the client to decide.
    """

    def __init__(
        self,
        sender: str,
        template_prefix: str,
        configuration_set: str | None = None,
        client: Any = None,
    ) -> None:
        self._sender = sender
        self._template_prefix = template_prefix
        # The parameter may not be there at all where there is no set.
        self._how = {"ConfigurationSetName": configuration_set} if configuration_set else {}
        self._given = client

    def send(self, mail: Mail, notification_id: str) -> None:
        """Hand an e-mail to SES.

        Raises NotSent when SES did not take it, Poison when it never will; anything else may have
        been sent.
        """
        from botocore.exceptions import (
            ClientError,
            ConnectTimeoutError,
            EndpointConnectionError,
        )

        client = self._given or aws.client("sesv2", attempts=1)
        client.meta.events.register("after-call.sesv2", _forget_message, unique_id="no-address")
        try:
            client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [mail.to]},
                Content={
                    "Template": {
                        "TemplateName": f"{self._template_prefix}{mail.template}",
                        "TemplateData": msgspec.json.encode(mail.variables()).decode(),
                    }
                },
                EmailTags=[{"Name": "notification-id", "Value": notification_id}],
                **self._how,
            )
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            raise NotSent(type(error).__name__) from error
        except ClientError as error:
            code = aws.error_code(error)
            if code in _REFUSED_FOR_EVER:
                raise Poison("mail-refused", code) from None
            if _answered_no(error.response):
                raise NotSent(code) from None
            raise


def _forget_message(parsed: dict[str, Any], **_: Any) -> None:
    """Take what SES says out of its refusal: it repeats the address, the code says enough.

    Before botocore makes an exception of it, which the trace and the log record with its message.
    """
    if error := parsed.get("Error"):
        error["Message"] = "what SES said is not kept"


def _answered_no(response: Any) -> bool:
    """A 4xx is a refusal; a 5xx may come after the e-mail was taken."""
    return 400 <= int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)) < 500
