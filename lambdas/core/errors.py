"""How a record can fail: for ever (Poison), until a known time (NotYet), or for now (any other)."""


class Poison(Exception):
    """A record that no retry can heal: undecodable, of an unknown type, or against its contract.

    `reason` is a short machine token ("undecodable", "unknown-type"); `detail` is for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class NotYet(Exception):
    """Nothing is wrong with the record, but to try it again within `seconds` would be in vain.

    Each try of an inbox's record is a receive, and only a few are granted.
    """

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"{what}: not before {seconds:.0f} s from now")
        self.seconds = seconds


class ConditionFailed(Exception):
    """A conditional write found the table in another state than the writer assumed.

    `failed` has one flag for each write of the transaction, in order.
    """

    def __init__(self, failed: tuple[bool, ...]) -> None:
        super().__init__(f"condition failed on writes {[i for i, bad in enumerate(failed) if bad]}")
        self.failed = failed
