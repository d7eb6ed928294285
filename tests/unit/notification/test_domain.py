"""What the e-mails say, and that every template can be filled."""

import re

import pytest

from lambdas.contracts.money import Line, Money
from lambdas.contracts.orders import OrderCancelledV1, OrderConfirmedV1
from lambdas.notification import domain
from lambdas.notification.domain import MAILS, Mail
from millrace.paths import ROOT

TEMPLATES = ROOT / "modules" / "notification" / "templates"
EUR_10 = Money(amount=1000, currency="EUR")


def confirmed(name: str = "Copper kettle") -> Mail:
    line = Line(product_id="p", name=name, quantity=2, unit_price=EUR_10)
    return domain.order_confirmed(
        OrderConfirmedV1(
            order_id="ord_1",
            customer_id="u",
            email="ada@example.com",
            lines=(line, line),
            total=Money(amount=4000, currency="EUR"),
            payment_id="pay_1",
        )
    )


def cancelled(reason: str = "timed-out") -> Mail:
    return domain.order_cancelled(
        OrderCancelledV1(
            order_id="ord_1",
            customer_id="u",
            email="ada@example.com",
            reason=reason,  # type: ignore[arg-type]
            detail="rule velocity-7 gave 80 points",
            total=EUR_10,
        )
    )


@pytest.mark.parametrize("mail", [confirmed(), cancelled()], ids=lambda mail: str(mail.template))
def test_every_part_of_a_template_uses_variables_that_the_mail_has(mail: Mail) -> None:
    """SES drops an e-mail silently when a variable is missing."""
    for part in ("subject.txt", "txt", "html"):
        text = (TEMPLATES / f"{mail.template}.{part}").read_text()
        used = re.findall(r"{{(\w+)}}", text)
        assert "order_id_html" in used if part == "html" else "order_id" in used
        assert set(used) <= set(mail.variables())
        assert all(name.endswith("_html") == (part == "html") for name in used)
        assert text.count("{{") == len(used)


def test_there_is_a_template_for_every_event_that_asks_for_a_mail_and_no_other() -> None:
    files = {path.name.split(".")[0] for path in TEMPLATES.iterdir()}
    assert files == {confirmed().template, cancelled().template}
    assert len(files) == len(MAILS)


def test_what_others_wrote_is_escaped_in_html_and_left_alone_in_text() -> None:
    variables = confirmed("<b>Tom & Jerry's</b>").variables()
    assert "2 x <b>Tom & Jerry's</b>, 10.00 EUR each" in variables["lines"]
    assert "&lt;b&gt;Tom &amp; Jerry&#x27;s&lt;/b&gt;" in variables["lines_html"]
    assert variables["lines_html"].count("<br>") == 1


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (4990, "EUR", "49.90 EUR"),
        (5, "USD", "0.05 USD"),
        (0, "EUR", "0.00 EUR"),
        (1200, "JPY", "1200 JPY"),
        (1234, "KWD", "1.234 KWD"),
    ],
)
def test_money_is_written_with_its_own_decimals(amount: int, currency: str, text: str) -> None:
    assert domain.money_text(Money(amount=amount, currency=currency)) == text


def test_a_cancelled_order_gives_a_reason_and_never_the_rules_behind_it() -> None:
    for reason in domain.REASONS:
        said = " ".join(cancelled(reason).variables().values())
        assert domain.REASONS[reason] in said
        assert "velocity" not in said
    assert "fraud" not in " ".join(cancelled("fraud").variables().values()).lower()


def test_one_cause_is_one_notification_and_another_cause_another() -> None:
    assert domain.notification_id("e1", "t") == domain.notification_id("e1", "t")
    others = {domain.notification_id(*of) for of in (("e1", "t"), ("e2", "t"), ("e1", "u"))}
    assert len(others) == 3


@pytest.mark.parametrize(
    ("address", "shown"),
    [("ada@example.com", "a***@example.com"), ("@example.com", "***@example.com"), ("x", "***")],
)
def test_an_address_is_masked(address: str, shown: str) -> None:
    assert domain.masked(address) == shown


def test_a_mail_that_is_logged_shows_no_address() -> None:
    assert "ada@" not in repr(confirmed())
