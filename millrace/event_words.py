"""What the fields of the contracts mean.

A name means the same in every event, so it is told here once. Where an event has more to say of a
field, a text below the field in its class goes first.
"""

import ast
import functools
import importlib
import inspect
import itertools
from typing import Any

from millrace.errors import MillraceError

WORDS = {
    "about": 'The subject it is about, such as "order/ord_4f2c8a1e9b7d".',
    "amount": "How much money; sums are exact.",
    "bucket": "The bucket's name.",
    "by": "The operator, as the machine or AWS knows them.",
    "bytes": "The size in bytes.",
    "category": "Where the catalog lists it.",
    "channel": 'How it was sent: "email".',
    "code": "Why, as a word to act on.",
    "currency": "ISO 4217, such as EUR.",
    "customer_id": "The customer: `sub` of the token.",
    "description": "What the catalog says about it.",
    "detail": "Why, in a sentence for people.",
    "device": "The device's id.",
    "device_type": "Its type, by which its thresholds are found.",
    "email": "Where the customer wants to hear of the order.",
    "etag": "The object's ETag.",
    "event_type": "The type token of the event in the dead letter.",
    "filters": "The options that chose the dead letters, as typed.",
    "firmware": "The firmware's version, as the device says.",
    "format": "The file format, such as webp.",
    "height": "In pixels.",
    "hits": "The rules that applied, each with its points and why.",
    "inbox": "The inbox by its short name.",
    "key": "The object's key.",
    "last_changed": "When the basket was last changed (RFC 3339, UTC).",
    "lines": "What, and how many of it.",
    "message": "What the gateway said, for people.",
    "message_id": "The SQS message id of the dead letter.",
    "metadata": "What the picture's own metadata says; nothing about where or who.",
    "missing": "What could not be set aside, and how many pieces of it were wanted.",
    "name": "What people call it.",
    "native": "Whether SQS moved the messages itself, so that their types are not known.",
    "notification_id": "Derived from the event that asked for it: the same event, the same id.",
    "order_id": "The order, derived from the basket and its version: a retry is the same order.",
    "outcome": "How the run ended.",
    "payment_id": "The payment gateway's own id of the payment.",
    "payment_token": "The payment gateway's token for the card; the card is never seen here.",
    "perhaps_sent_twice": "Messages in doubt when a run was killed; consumers drop duplicates.",
    "points": "What the rule adds to the score.",
    "price": "The price of one.",
    "product_id": "The product.",
    "quantity": "How many pieces.",
    "reason": "Why it happened.",
    "registered": "When it was first heard (RFC 3339, UTC).",
    "renditions": "Every picture that was made of it.",
    "renditions_bucket": "The bucket the renditions are in.",
    "revision": "Grows with every change of the product; the higher one is the newer one.",
    "rule": "The rule's name in the rule set.",
    "ruleset": "The version of the rules that judged.",
    "run_id": "The run; one that is resumed keeps its id.",
    "score": "The sum of the points of the rules that count.",
    "sent": "How many dead letters were sent again.",
    "sent_as": "The SQS message id of what was sent instead.",
    "sent_by_type": "The same, by event type.",
    "sha256_after": "The digest of the new body.",
    "sha256_before": "The digest of the old body.",
    "shadow": "Whether the rule is only tried out: told, but not counted.",
    "source": "The uploaded object.",
    "template": "The e-mail template's name.",
    "total": "The sum over the lines.",
    "unit_price": "The price of one.",
    "version_id": "The object's version, on a versioned bucket.",
    "why": "What the rule saw.",
    "width": "In pixels.",
}


def meaning(kind: Any, field: str) -> str:
    """What a field of a struct means. Raises MillraceError for one that is told nowhere."""
    found = _texts_below_fields(kind).get(field, WORDS.get(field))
    if found is None:
        raise MillraceError(
            f"{kind.__name__}.{field}: say what it means, in a string below the field or, when it "
            "means the same in several events, in millrace/event_words.py."
        )
    return found


@functools.cache
def _texts_below_fields(kind: Any) -> dict[str, str]:
    """The string that follows a field in the class, by field; Python itself drops it."""
    module = importlib.import_module(kind.__module__)
    tree = ast.parse(inspect.getsource(module))
    (body,) = (n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == kind.__name__)
    texts = {}
    for field, after in itertools.pairwise(body):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            texts[field.target.id] = inspect.cleandoc(str(after.value.value))
    return texts
