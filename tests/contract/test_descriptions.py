"""Whatever a front-end developer can find in the explorer says what it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import (
    SKIP,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    Node,
    TypeDefinitionNode,
    TypeExtensionNode,
    Visitor,
    VisitorAction,
    parse,
    visit,
)

SERVICES = ("orders", "payments", "inventory", "shipping", "recommendations")
SUBGRAPHS = Path(__file__).parents[2] / "subgraphs"
DESCRIBED = (TypeDefinitionNode, FieldDefinitionNode, InputValueDefinitionNode, EnumValueDefinitionNode)


class Undescribed(Visitor):
    """Gathers the paths of all that has no description, but for what the federation specification describes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._path: list[str] = []

    def enter(self, node: Node, *_: object) -> VisitorAction:
        # An extension cannot have a description: the definition has it, in the subgraph that owns the type.
        if isinstance(node, (*DESCRIBED, TypeExtensionNode)):
            if node.name.value.startswith("_"):
                return SKIP
            self._path.append(node.name.value)
            if isinstance(node, DESCRIBED) and node.description is None:
                self.found.append(".".join(self._path))
        return None

    def leave(self, node: Node, *_: object) -> VisitorAction:
        if isinstance(node, (*DESCRIBED, TypeExtensionNode)):
            self._path.pop()
        return None


def undescribed(sdl: str) -> list[str]:
    visitor = Undescribed()
    visit(parse(sdl), visitor)
    return visitor.found


@pytest.mark.parametrize("service", SERVICES)
def test_all_that_a_service_publishes_is_described(service: str) -> None:
    assert undescribed((SUBGRAPHS / service / "schema.graphql").read_text()) == []


def test_whatever_has_no_description_is_found() -> None:
    sdl = """
      type Query { a(b: Int): Int  _service(c: Int): Int }
      "Said." type Said { "Said." a("Said." b: Int): Int }
      extend type Extended { a: Int }
      enum E { A "Said." B }
      input I { a: Int }
      union U = Said
      scalar _Any
    """
    named = ["Query", "Query.a", "Query.a.b", "Extended.a", "E", "E.A", "I", "I.a", "U"]
    assert undescribed(sdl) == named
