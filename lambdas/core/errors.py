"""The two ways a record can fail: for ever (Poison), or for now (anything else that is raised)."""


class Poison(Exception):
    """A record that no retry can heal: undecodable, of an unknown type, or against its contract.

    `reason` is a short machine token ("undecodable", "unknown-type"); `detail` is for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class ConditionFailed(Exception):
    """A conditional write found the table in another state than the writer assumed.

    `failed` has one flag for each write of the transaction, in order.
    """

    def __init__(self, failed: tuple[bool, ...]) -> None:
        super().__init__(f"condition failed on writes {[i for i, bad in enumerate(failed) if bad]}")
        self.failed = failed
