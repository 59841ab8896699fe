"""docs/error-codes.md has a row for each code that a client may find in ``extensions.code`` of the router's errors."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HOUSES = ("operation", "planning", "execution", "response", "server")
RAISED = {"OperationError": 0, "PlanningError": 0, "RequestError": 1, "SubgraphFailure": 0, "SubscriptionRefused": 0}
WRITTEN = {"_refusal": 1}
CODE = re.compile(r"[A-Z][A-Z_]+")
ANSWERS, _, COMMAND = (ROOT / "docs" / "error-codes.md").read_text().partition("\n## The command `galleria`\n")
# Told in the log of a router that serves on.
NOT_ON_THE_COMMAND_LINE = {"RELOAD_FAILED"}
# Told to plugins alone: who breaks the protocol of WebSocket is closed with a number.
NOT_ANSWERED = {"WEBSOCKET_PROTOCOL_VIOLATION"}


def sources() -> Iterator[ast.Module]:
    for house in HOUSES:
        for path in sorted((ROOT / "router" / house).rglob("*.py")):
            yield ast.parse(path.read_text())


def constants() -> dict[str, set[str]]:
    """The texts that modules give a name; two may give the same."""
    found: dict[str, set[str]] = {}
    for module in sources():
        for node in module.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                for target in node.targets:
                    if isinstance(target, ast.Name) and isinstance(node.value.value, str):
                        found.setdefault(target.id, set()).add(node.value.value)
    return found


def codes_in(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions that are codes where ``node`` makes an error, or writes one."""
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        place = {**RAISED, **WRITTEN}.get(name)
        if place is not None and len(node.args) > place:
            yield node.args[place]
    elif isinstance(node, ast.Dict):
        keys = zip(node.keys, node.values, strict=True)
        yield from (value for key, value in keys if isinstance(key, ast.Constant) and key.value == "code")


def codes_of_the_router() -> set[str]:
    named = constants()
    found = set[str]()
    for module in sources():
        for node in ast.walk(module):
            for part in (part for code in codes_in(node) for part in ast.walk(code)):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    found.add(part.value)
                elif isinstance(part, ast.Name):
                    found |= named.get(part.id, set())
    return {code for code in found if CODE.fullmatch(code)} - NOT_ANSWERED


def test_each_code_has_a_row_and_each_row_is_a_code() -> None:
    assert_rows(ANSWERS, codes_of_the_router())


def test_each_code_of_the_command_has_a_row() -> None:
    assert_rows(COMMAND, codes_of_the_command() - NOT_ON_THE_COMMAND_LINE)


def assert_rows(text: str, codes: set[str]) -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == codes


def codes_of_the_command() -> set[str]:
    """The codes of each InputError, as a text or as a text that its module, or the one that it is from, has named."""
    modules = [ast.parse(path.read_text()) for path in sorted((ROOT / "router").rglob("*.py"))]
    shared = {name: value for module in modules for name, value in texts_of(module).items() if not name.startswith("_")}
    found = set[str]()
    for module in modules:
        named = shared | texts_of(module)
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "InputError":
                code = node.args[0]
                found.add(str(code.value) if isinstance(code, ast.Constant) else named.get(ast.unparse(code), ""))
    return found - {""}


def texts_of(module: ast.Module) -> dict[str, str]:
    return {
        target.id: node.value.value
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
