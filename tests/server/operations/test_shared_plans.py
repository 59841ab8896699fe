"""Operations that differ only in literals share one plan, and never each other's literals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from router.errors import OperationError
from router.server.operations.compiled_operation import CompiledOperation, OperationCompiler
from router.server.operations.recently_used import CacheSize
from router.supergraph.read import read_supergraph
from tests.server.shop import SUPERGRAPH, Shop


def compiler(max_plans: int = 10) -> Callable[[str], CompiledOperation]:
    compile_ = OperationCompiler(read_supergraph(SUPERGRAPH), CacheSize(max_plans, 50_000_000))

    def compile_text(text: str) -> CompiledOperation:
        compiled = compile_(text, None)
        assert isinstance(compiled, CompiledOperation)
        return compiled

    return compile_text


def test_ten_thousand_texts_that_differ_in_literals_are_planned_once() -> None:
    compile_ = compiler()
    compiled = [compile_(f"{{ products(first: {number}) {{ name }} }}") for number in range(10_000)]

    assert len({id(one.plan) for one in compiled}) == 1
    assert len({id(one.executable) for one in compiled}) == 1
    assert [one.coerce({}) for one in compiled] == [{"literal_0": number} for number in range(10_000)]


def test_texts_compiled_at_once_are_planned_once() -> None:
    compile_ = compiler()
    texts = [f"{{ products(first: {number}) {{ name }} }}" for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        compiled = list(pool.map(compile_, texts))

    assert len({id(one.plan) for one in compiled}) == 1


def test_a_client_cannot_set_what_stands_for_a_literal() -> None:
    compiled = compiler()("{ products(first: 1) { name } }")

    assert compiled.coerce({"literal_0": 3}) == {"literal_0": 1}


def test_a_variable_that_is_not_declared_is_refused_though_the_text_is_that_of_a_plan() -> None:
    compile_ = compiler()
    compile_("{ products(first: 1) { name } }")

    with pytest.raises(OperationError) as caught:
        compile_("{ products(first: $literal_0) { name } }")

    assert caught.value.message == "Variable '$literal_0' is not defined."


def test_errors_are_at_their_places_in_the_text_of_the_client() -> None:
    with pytest.raises(OperationError) as caught:
        compiler()("{ products(first: 1) { name } other: products(first: 1) { nme } }")

    assert [(error.message, error.locations) for error in caught.value.errors] == [
        ("Cannot query field 'nme' on type 'Product'. Did you mean 'name'?", [(1, 59)])
    ]


def test_fields_that_cannot_merge_because_of_literals_are_refused() -> None:
    with pytest.raises(OperationError) as caught:
        compiler()("{ products(first: 1) { name } products(first: 2) { name } }")

    assert caught.value.message.startswith("Fields 'products' conflict because they have differing arguments.")


def test_plans_beyond_the_limit_are_forgotten() -> None:
    compile_ = compiler(1)
    first = compile_("{ products(first: 1) { name } }")
    compile_("{ whoami }")

    assert compile_("{ products(first: 1) { name } }").plan is not first.plan


@pytest.mark.asyncio
async def test_answers_to_literals_are_each_their_own(production: httpx.AsyncClient, shop: Shop) -> None:
    async def ask(first: int) -> object:
        text = f"{{ products(first: {first}) {{ id available }} }}"
        return (await production.post("/graphql", json={"query": text, "variables": {"literal_0": 9}})).json()

    answers = await asyncio.gather(*(ask(number) for number in (1, 2, 3, 2, 1)))

    assert answers == [
        {"data": {"products": [{"id": str(key), "available": key * 10} for key in range(1, number + 1)]}}
        for number in (1, 2, 3, 2, 1)
    ]


@pytest.mark.asyncio
async def test_mutations_with_literals_change_what_they_name(production: httpx.AsyncClient, shop: Shop) -> None:
    for key, name in (("1", "Pot"), ("2", "Pan")):
        text = f'mutation {{ rename(id: "{key}", name: "{name}") {{ name }} }}'
        assert (await production.post("/graphql", json={"query": text})).json() == {"data": {"rename": {"name": name}}}

    assert shop.names == {"1": "Pot", "2": "Pan", "3": "Jug"}
