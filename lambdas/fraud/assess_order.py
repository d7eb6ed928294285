"""Function: judge placed orders, and remember declined payments."""

import datetime as dt
from typing import Any

import msgspec

from lambdas.contracts.orders import OrderPlacedV1
from lambdas.contracts.payments import PaymentDeclinedV2
from lambdas.core import inbox, observability, settings
from lambdas.core.table_store import Table
from lambdas.fraud import assessments
from lambdas.fraud.assessment_store import AssessmentStore
from lambdas.fraud.domain import Ruleset


class Settings(msgspec.Struct, frozen=True):
    assessments_table: str
    fraud_ruleset: Ruleset


@observability.instrumented
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    config = settings.load(Settings)
    store = AssessmentStore(Table(config.assessments_table))
    handle = inbox.typed(
        {
            OrderPlacedV1: lambda placed: assessments.assess(
                placed, config.fraud_ruleset, store, _now()
            ),
            PaymentDeclinedV2: lambda declined: assessments.count_decline(declined, store, _now()),
        }
    )
    return inbox.consume(event, handle)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
