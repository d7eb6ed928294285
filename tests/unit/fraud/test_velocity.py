"""Windows slide with the order's own time, miss nothing, and overcount by one bucket at most."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.errors import Poison
from lambdas.fraud.velocity import BUCKET, DAY, HOUR, Bucket, bucket_start, facts, moment
from tests.shop_events import NOON, line
from tests.unit.fraud.stories import order

times = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1), timezones=st.just(dt.UTC))


@given(times)
def test_a_moment_falls_in_the_one_bucket_that_begins_on_a_round_five_minutes(
    at: dt.datetime,
) -> None:
    start = bucket_start(at)
    assert start <= at < start + BUCKET
    assert (start.minute % 5, start.second, start.microsecond) == (0, 0, 0)


ages = st.one_of(
    st.timedeltas(dt.timedelta(0), dt.timedelta(hours=30)),
    st.builds(  # the edges of the windows
        lambda window, off: window + off,
        st.sampled_from([HOUR, DAY]),
        st.timedeltas(-BUCKET, 2 * BUCKET),
    ),
)


@given(times, ages)
def test_a_window_misses_nothing_and_reaches_back_one_bucket_more_at_most(
    at: dt.datetime, ago: dt.timedelta
) -> None:
    bucket = Bucket(start=bucket_start(at - ago), orders=1, declines=1, amounts={"EUR": 7})
    known = facts(order(), at, [bucket], [])
    for window, counted in (
        (HOUR, known["customer.orders_1h"] == 2),
        (DAY, known["customer.orders_24h"] == 2),
        (DAY, known["customer.declines_24h"] == 1),
        (DAY, known["customer.amount_24h"] == 1007),
    ):
        if ago <= window:
            assert counted
        if ago >= window + BUCKET:
            assert not counted


def test_what_comes_later_than_the_order_is_not_counted() -> None:
    later = Bucket(start=NOON + BUCKET, orders=9, declines=9, amounts={"EUR": 9})
    known = facts(order(), NOON, [later], [])
    assert (known["customer.orders_1h"], known["customer.orders_24h"]) == (1, 1)
    assert (known["customer.declines_24h"], known["customer.amount_24h"]) == (0, 1000)


def test_amounts_of_another_currency_are_not_added() -> None:
    bucket = Bucket(start=NOON, orders=1, amounts={"USD": 500, "EUR": 30})
    assert facts(order(total=70), NOON, [bucket], [])["customer.amount_24h"] == 100
    in_dollars = facts(order(total=70, currency="USD"), NOON, [bucket], [])
    assert in_dollars["customer.amount_24h"] == 570


def test_an_order_is_measured_by_line_and_by_piece() -> None:
    lines = (line("tea", 3), line("pot", 5))
    known = facts(order(lines=lines), NOON, [], [])
    assert known["order.lines"] == 2
    assert known["order.pieces"] == 8
    assert known["order.max_quantity"] == 5


def test_customers_of_a_token_are_counted_once_each_and_with_this_one() -> None:
    assert facts(order(), NOON, [], [])["token.customers_24h"] == 1
    assert facts(order(), NOON, [], ["ada", "bob", "bob"])["token.customers_24h"] == 2


def test_a_time_is_read_in_any_zone_and_nonsense_is_poison() -> None:
    assert moment("2026-11-21T14:00:00+02:00") == NOON == moment("2026-11-21T12:00:00.000Z")
    for text in ("yesterday", "", "2026-11-21T12:00:00"):
        with pytest.raises(Poison):
            moment(text)
