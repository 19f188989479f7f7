"""The official client has what we use of it, under the names by which we use it."""

import ast
import inspect
from pathlib import Path

import httpx
import linq

from lines.gateways import linq as way
from tests.linq.contract import wrong_in

CLIENT = linq.LinqAPIV3(api_key="key")


class Used(ast.NodeVisitor):
    """The chains of names behind `self.client` in a file, and with which arguments each was called."""

    def __init__(self, source):
        self.known, self.calls = {}, []
        self.visit(ast.parse(source))

    def chain(self, node):
        if isinstance(node, ast.Name):
            return self.known.get(node.id)
        if not isinstance(node, ast.Attribute):
            return None
        if node.attr == "client" and isinstance(node.value, ast.Name):
            return []
        before = self.chain(node.value)
        return None if before is None else [*before, node.attr]

    def visit_Assign(self, node):
        if (
            len(node.targets) == 1
            and isinstance(node.targets[0], ast.Name)
            and (found := self.chain(node.value))
        ):
            self.known[node.targets[0].id] = found
        self.generic_visit(node)

    def visit_Call(self, node):
        if found := self.chain(node.func):
            self.calls.append((found, len(node.args), [one.arg for one in node.keywords if one.arg]))
        for argument in node.args:
            # A method that is handed on, to be called with an id.
            if found := self.chain(argument):
                self.calls.append((found, 1, []))
        self.generic_visit(node)


def used():
    return Used(Path(way.__file__).read_text()).calls


def test_every_method_that_we_call_is_there_and_takes_what_we_give_it():
    calls = used()
    assert len(calls) > 40
    for names, positions, keywords in calls:
        method = CLIENT
        for name in names:
            assert hasattr(method, name), f"The client has no {'.'.join(names)} any more"
            method = getattr(method, name)
        known = inspect.signature(method).parameters
        assert set(keywords) <= known.keys(), f"{'.'.join(names)} takes no {set(keywords) - known.keys()}"
        by_position = [one for one in known.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
        assert positions <= len(by_position), ".".join(names)


def test_only_the_gateway_knows_the_client():
    root = Path(way.__file__).parents[2]
    mine = [
        path for app in ("lines", "inbox", "webhooks", "partyline") for path in (root / app).rglob("*.py")
    ]
    assert [path.name for path in mine if "import linq" in path.read_text()] == ["linq.py"]


def request(method, path, content=b"{}"):
    return method, httpx.URL(f"https://carrier.example/api/partner{path}"), content


def test_what_is_not_as_the_client_has_it_is_found():
    text = b'{"message": {"parts": [{"type": "text", "value": "Hi"}], "idempotency_key": "k"}}'
    assert list(wrong_in([request("POST", "/v3/chats/c/messages", text)])) == []
    for changed in (
        text.replace(b"idempotency_key", b"key"),
        text.replace(b'"value"', b'"words"'),
        text.replace(b'"Hi"', b"5"),
        b"{}",
    ):
        assert list(wrong_in([request("POST", "/v3/chats/c/messages", changed)]))
    assert list(wrong_in([request("POST", "/v3/somewhere/else", b'{"a": 1}')]))
