"""The glossary is true, and the code speaks its words only."""

import ast
import re

from .source_tree import ROOT, product_modules

GLOSSARY = ROOT / "docs" / "glossary.md"
# Words that DESIGN's glossary replaces; as whole snake_case or CamelCase parts of names that we define.
BANNED = {
    "entity": "record", "bucket": "blocking key", "judgement": "decision", "ticket": "task", "unlink": "split",
    "confidence": "match probability", "similarity": "comparison", "cleanse": "standardize", "dedupe": "match",
}  # fmt: skip
PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def _defined_names(tree: ast.AST) -> list[tuple[int, str]]:
    names = []
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.append((node.lineno, name))
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                names.append((node.lineno, name))
    return names


def test_names_use_the_glossary_words() -> None:
    found = [
        f"{module.path}:{line} {name}: say {BANNED[part.lower()]}"
        for module in product_modules()
        for line, name in _defined_names(module.tree)
        for part in PARTS.findall(name)
        if part.lower() in BANNED
    ]
    assert found == []


def test_every_glossary_word_is_used() -> None:
    """A word that neither code nor schema uses is a promise nobody keeps."""
    terms = re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    schema = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "alembic" / "versions").glob("*.py")))
    corpus = (schema + "".join(module.text for module in product_modules())).lower().replace("_", " ").replace("-", " ")
    unused = [term for term in terms if not any(part.strip().lower().replace("-", " ") in corpus for part in term.split(","))]
    assert len(terms) >= 30
    assert unused == []
