"""PutRecords as Kinesis documents it, in this process: it takes some entries and refuses others."""

from collections.abc import Callable
from typing import Any

MOST_RECORDS = 500
MOST_BYTES = 5 * 1024 * 1024


class FakeKinesis:
    """`refuses(data, attempt)` says whether a record is throttled when it is put that often."""

    def __init__(self, refuses: Callable[[bytes, int], bool] | None = None) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.batches: list[int] = []
        self._refuses = refuses
        self._tried: dict[tuple[str, bytes], int] = {}

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert StreamName == "stream"
        assert 0 < len(Records) <= MOST_RECORDS
        assert sum(len(e["Data"]) + len(e["PartitionKey"]) for e in Records) <= MOST_BYTES
        self.batches.append(len(Records))
        results = [self._put(entry) for entry in Records]
        failed = sum("ErrorCode" in result for result in results)
        return {"FailedRecordCount": failed, "Records": results}

    def _put(self, entry: dict[str, Any]) -> dict[str, str]:
        key = (entry["PartitionKey"], entry["Data"])
        self._tried[key] = self._tried.get(key, 0) + 1
        if self._refuses and self._refuses(entry["Data"], self._tried[key]):
            return {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow"}
        self.taken.append(key)
        return {"SequenceNumber": str(len(self.taken)), "ShardId": "shardId-000000000000"}
