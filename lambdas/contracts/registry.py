"""Every event type there is, by its token."""

from lambdas.contracts import (
    baskets,
    fraud,
    images,
    notifications,
    operations,
    orders,
    payments,
    products,
    stock,
    telemetry,
)
from lambdas.contracts.event import Event

EVENTS: tuple[type[Event], ...] = (
    baskets.BasketAbandonedV1,
    baskets.BasketCheckedOutV1,
    fraud.FraudClearedV1,
    fraud.FraudFlaggedV1,
    images.ImageRejectedV1,
    images.ImageRenderedV1,
    notifications.NotificationSentV1,
    operations.DeadLetterDroppedV1,
    operations.DeadLetterEditedV1,
    operations.DeadLetterRedrivenV1,
    orders.OrderApprovedV1,
    orders.OrderCancelledV1,
    orders.OrderConfirmedV1,
    orders.OrderFraudClearedV1,
    orders.OrderPlacedV1,
    orders.OrderStockReservedV1,
    payments.PaymentCapturedV1,
    payments.PaymentDeclinedV1,
    payments.PaymentDeclinedV2,
    payments.PaymentRefundedV1,
    products.ProductCreatedV1,
    products.ProductDeletedV1,
    products.ProductUpdatedV1,
    stock.StockDepletedV1,
    stock.StockRejectedV1,
    stock.StockReleasedV1,
    stock.StockReservedV1,
    telemetry.AnomalyDetectedV1,
    telemetry.DeviceRegisteredV1,
)

BY_TYPE: dict[str, type[Event]] = {event.TYPE: event for event in EVENTS}
