"""Hand-written stand-ins for AWS that several tests share, and the events Lambda gets from it."""

from typing import Any


class FakeSqs:
    """The few SQS calls an inbox makes; `visibility` holds what was asked for, by receipt."""

    def __init__(self, broken: bool = False) -> None:
        self.visibility: dict[str, int] = {}
        self._broken = broken

    def get_queue_url(self, QueueName: str) -> dict[str, str]:  # noqa: N803
        if self._broken:
            raise ConnectionError("no route to SQS")
        return {"QueueUrl": f"https://sqs.test/{QueueName}"}

    def change_message_visibility_batch(
        self,
        QueueUrl: str,  # noqa: N803
        Entries: list[dict[str, Any]],  # noqa: N803
    ) -> dict[str, Any]:
        assert QueueUrl == "https://sqs.test/inbox"
        for entry in Entries:
            self.visibility[entry["ReceiptHandle"]] = entry["VisibilityTimeout"]
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries], "Failed": []}


def sqs_event(*bodies: str, receives: int = 1, trace: str | None = None) -> dict[str, Any]:
    """What Lambda gives a function that reads an inbox: one record a body."""
    traced = {"AWSTraceHeader": trace} if trace else {}
    return {
        "Records": [
            {
                "messageId": f"message-{index}",
                "receiptHandle": f"receipt-{index}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": str(receives),
                    "SentTimestamp": "1795253415123",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1795253415130",
                    **traced,
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:111111111111:inbox",
                "awsRegion": "eu-west-1",
            }
            for index, body in enumerate(bodies)
        ]
    }
