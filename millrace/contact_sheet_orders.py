"""The orders' section of the demonstration's page."""

from html import escape

from lambdas.contracts.money import Money
from millrace.demo.orders import Followed
from millrace.demo.story import Landed


def section(orders: list[Followed]) -> str:
    """One card per order: how it ended and why, its events on a time axis, its e-mails."""
    cards = "\n".join(_card(order) for order in orders)
    confirmed = sum(order.is_confirmed for order in orders)
    return f"""<section aria-labelledby="orders">
<h2 id="orders">Orders</h2>
<p>{len(orders)} orders placed, {confirmed} confirmed, {len(orders) - confirmed} cancelled with a
reason. A bar begins where the event that caused this one landed; times count from the click.</p>
<div class="cards wide">
{cards}
</div>
</section>"""


def _card(order: Followed) -> str:
    reason = f" {escape(str(order.order['reason']))}" if order.order["reason"] else ""
    kind = "confirmed" if order.is_confirmed else "cancelled"
    state = escape(str(order.order["state"]).capitalize())
    lines = [
        f"<h3>{escape(order.scenario.name)}</h3>",
        f'<p class="state {kind}"><b>{state}</b>{reason}</p>',
        f"<p>{_total(order)}, {order.milliseconds:.0f} ms from the click to the end</p>",
    ]
    if order.order["detail"]:
        lines.append(f"<p>{escape(str(order.order['detail']))}</p>")
    lines += [_timeline(order.events), *(_mail(mail.subject) for mail in order.mails)]
    return '<article>\n<div class="facts">\n' + "\n".join(lines) + "\n</div>\n</article>"


def _total(order: Followed) -> str:
    total = Money(**order.order["total"])
    return escape(f"{total.amount / 100:,.2f} {total.currency}")


def _timeline(events: list[Landed]) -> str:
    """The events on one time axis; the text says the same as the bars."""
    end = max((event.milliseconds for event in events), default=0.0) or 1.0
    rows = "".join(_row(event, end) for event in events)
    return f'<ol class="trace" aria-label="Events">{rows}</ol>'


def _row(event: Landed, end: float) -> str:
    told = f" <small>{escape(event.told)}</small>" if event.told else ""
    begin = min(100 * event.begin / end, 99.5)
    width = max(100 * (event.milliseconds - event.begin) / end, 0.5)
    return (
        f"<li><span>{escape(event.type)}{told}</span><b>{event.milliseconds:.0f} ms</b>"
        f'<i style="margin-left:{begin:.1f}%;width:{width:.1f}%"></i></li>'
    )


def _mail(subject: str) -> str:
    return f'<p class="mail"><span>E-mail</span> {escape(subject)}</p>'
