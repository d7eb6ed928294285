"""Products: any history of changes, told by its events."""

import itertools

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lambdas.catalog.domain import (
    Product,
    ProductDetails,
    after_update,
    created,
    deleted,
    listed_as,
    product_id_for,
    updated,
)
from lambdas.contracts.money import Money

DETAILS = st.builds(
    ProductDetails,
    name=st.text(min_size=1, max_size=200),
    description=st.sampled_from(["", "hand-made"]),
    price=st.builds(Money, amount=st.integers(0, 3), currency=st.sampled_from(["EUR", "USD"])),
    category=st.sampled_from(["general", "tea"]),
)


@given(st.lists(DETAILS, min_size=1, max_size=8))
def test_the_product_says_the_last_details_and_its_revision_counts_the_changes(
    history: list[ProductDetails],
) -> None:
    product = after_update(created("prod_1", history[0]))
    changes = 1
    for before, details in itertools.pairwise(history):
        event = updated(product, details)
        assert (event is None) == (before == details)
        if event is not None:
            product, changes = after_update(event), changes + 1
    said = {name: getattr(product, name) for name in history[-1].__struct_fields__}
    assert said == msgspec.structs.asdict(history[-1])
    assert product.revision == changes
    assert deleted(product).revision == changes + 1


@given(DETAILS, DETAILS)
def test_places_in_the_list_follow_the_name_and_differ_where_products_differ(
    one: ProductDetails, other: ProductDetails
) -> None:
    first, second = (after_update(created(i, d)) for i, d in (("prod_a", one), ("prod_b", other)))
    assert listed_as(first) != listed_as(second)
    names = [product.name.casefold() for product in (first, second)]
    if names[0] == names[1]:
        assert listed_as(first) < listed_as(second)


@given(DETAILS)
def test_a_place_in_the_list_is_a_possible_key_of_an_index(details: ProductDetails) -> None:
    product: Product = after_update(created(product_id_for("f" * 64), details))
    assert 1 <= len(listed_as(product).encode(errors="surrogatepass")) <= 1024
