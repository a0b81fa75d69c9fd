"""The texts of errors, read from where the code makes them.

What a text takes from the case at hand is shown as `…`. A text that is put together elsewhere is
not seen.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("marketo_bulk", "singer_marketo", "tap_marketo_bulk", "target_marketo_bulk")
GAP = "…"
REMEDY = re.compile(r"^Remedy: (.+?)(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class ErrorText:
    """A text an error may have, and what the user is told to do, if the place says it."""

    kind: type[Exception]
    text: str
    remedy: str


def error_texts() -> list[ErrorText]:
    """Return every text that can be read, of errors that say what to do."""
    found = {
        error.text + error.remedy + error.kind.__name__: error
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "__main__.py"  # it runs when it is imported
        for error in _texts_of(path)
    }
    return sorted(found.values(), key=lambda error: (error.text.strip("… ").lower(), error.remedy))


def cause_of(kind: type[Exception]) -> str:
    """Return the first sentence of an error's docstring."""
    return (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")


def remedy_of(kind: type[Exception]) -> str:
    """Return what to do about an error: what its message ends with, or its docstring says."""
    for parent in kind.__mro__:
        said = parent.__dict__.get("remedy")
        if isinstance(said, str) and said:
            return said
        # `getdoc` would look at the parents of a class without a docstring at once.
        found = REMEDY.search(inspect.cleandoc(parent.__doc__ or ""))
        if found:
            return " ".join(found[1].split()).rstrip(".")
    return ""


def _texts_of(path: Path) -> Iterator[ErrorText]:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(name)
    for scope in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(scope, ast.FunctionDef):
            yield from _texts_in(scope, module)


def _texts_in(scope: ast.FunctionDef, module: ModuleType) -> Iterator[ErrorText]:
    for call in ast.walk(scope):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args):
            continue
        kind = getattr(module, call.func.id, None)
        if not (isinstance(kind, type) and issubclass(kind, Exception) and remedy_of(kind)):
            continue
        reader = _Reader(scope, module)
        advice = next((word.value for word in call.keywords if word.arg == "remedy"), None)
        text = reader.read(call.args[0])
        if text.strip(f"{GAP}:;,. "):
            yield ErrorText(kind, text, reader.read(advice) if advice else "")


class _Reader:
    """Reads expressions of one function as text."""

    def __init__(self, scope: ast.FunctionDef, module: ModuleType) -> None:
        self._module = module
        self._assigned = {
            target.id: node.value
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }

    def read(self, node: ast.expr, *, depth: int = 3) -> str:
        """Return the text of an expression; what only a run knows is a gap."""
        text = self._read(node, depth)
        return re.sub(rf"{GAP}(?:\s?{GAP})+", GAP, " ".join(text.split()))

    def _read(self, node: ast.expr, depth: int) -> str:
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.JoinedStr(values=parts):
                return "".join(self._read(part, depth) for part in parts)
            case ast.FormattedValue(value=value):
                return self._read(value, depth) if isinstance(value, ast.Name) else GAP
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._read(left, depth) + self._read(right, depth)
            case ast.Name(id=name) if depth:
                return self._named(name, depth - 1)
        return GAP

    def _named(self, name: str, depth: int) -> str:
        if name in self._assigned:
            value = self._assigned[name]
            is_text = isinstance(value, (ast.Constant, ast.JoinedStr, ast.BinOp))
            return self._read(value, depth) if is_text else GAP
        constant = getattr(self._module, name, None)
        return str(constant) if isinstance(constant, (str, int)) else GAP
