"""The house: imports point one way, public names are a checked list, codes are unique and documented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import semkit

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "semkit"

GROUND = ["errors", "result", "display", "numerics", "writing"]
SURVEY = ["instrument", "responses", "cleaning", "monitoring"]
SIDE_BY_SIDE = ("interaction", "regression", "composite", "configuration")
ENGINE = ["sample", "model", "estimate", SIDE_BY_SIDE, "fitting", "probe"]
JOIN = ["validation", "verdict", "report", "study", "planning", "cli"]
LATE = {("display", "report")}


def _level() -> dict[str, tuple[str, int]]:
    level: dict[str, tuple[str, int]] = {}
    for line, rooms in (("ground", GROUND), ("survey", SURVEY), ("engine", ENGINE), ("join", JOIN)):
        for rank, entry in enumerate(rooms):
            for room in (entry,) if isinstance(entry, str) else entry:
                level[room] = (line, rank)
    return level


LEVEL = _level()


def allowed(importer: str, imported: str) -> bool:
    """Whether a module of room ``importer`` may import room ``imported``."""
    if importer == imported:
        return True
    (line_a, rank_a), (line_b, rank_b) = LEVEL[importer], LEVEL[imported]
    if line_a == line_b:
        return rank_b < rank_a
    return line_b == "ground" or (line_a == "join" and line_b in ("survey", "engine"))


def room_of(path: Path) -> str | None:
    parts = path.relative_to(PACKAGE).parts
    name = parts[0].removesuffix(".py")
    return None if name in ("__init__", "__main__") else name


def imports_of(path: Path) -> set[tuple[str, bool]]:
    """Rooms imported by a file, each with whether the import stands inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for child in ast.walk(node)
    }
    found: set[tuple[str, bool]] = set()
    for node in ast.walk(tree):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write absolute imports"
            modules = [node.module or ""]
            if node.module == "semkit":
                modules = [f"semkit.{alias.name}" for alias in node.names]
        for module in modules:
            parts = module.split(".")
            if parts[0] == "semkit" and len(parts) > 1 and parts[1] in LEVEL:
                found.add((parts[1], id(node) in inside))
    return found


SOURCES = sorted(PACKAGE.rglob("*.py"))


def test_every_room_has_its_place() -> None:
    rooms = {room for path in SOURCES if (room := room_of(path))}
    assert rooms <= set(LEVEL), f"rooms without a place in the layer order: {sorted(rooms - set(LEVEL))}"


def test_imports_point_one_way() -> None:
    wrong = []
    for path in SOURCES:
        room = room_of(path)
        if room is None:
            continue
        for imported, late in imports_of(path):
            if not allowed(room, imported) and not (late and (room, imported) in LATE):
                wrong.append(f"{path.relative_to(ROOT)} imports semkit.{imported}")
    assert not wrong, "\n".join(wrong)


def test_the_layer_rule_can_fail() -> None:
    assert not allowed("sample", "responses")
    assert not allowed("instrument", "model")
    assert not allowed("regression", "interaction")
    assert not allowed("verdict", "report")
    assert allowed("report", "verdict") and allowed("study", "cleaning") and allowed("fitting", "regression")


PUBLIC = """
CleaningPlan Cleaned Composite Design Fit Instrument LMS Moments Note Problem ProductIndicators QML Replicates Responses
SAM SemkitError cfa clean compare compare_methods growth invariance load_instrument moderated_regression nested
polychoric probe read_responses reliability run sem simulate_model simulate_responses validate validity __version__
conditional_effects response_surface k_anonymity monitor pseudonyms reconcile stack_responses write_responses
write_restricted
""".split()


def test_public_names_are_the_checked_list() -> None:
    assert sorted(semkit.__all__) == sorted(PUBLIC)
    for name in PUBLIC:
        value = getattr(semkit, name)
        assert name == "__version__" or value.__doc__, f"sk.{name} has no docstring"


def test_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="fiml"):
        _ = semkit.fiml


def test_import_loads_no_heavy_package() -> None:
    code = (
        "import sys, semkit; "
        "heavy = {'matplotlib', 'statsmodels', 'semopy', 'scipy.stats', 'pydantic', 'jinja2', 'openpyxl'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert out == "[]"


CODE = re.compile(r"[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*)+$")


def codes_in(path: Path) -> list[tuple[str, int]]:
    """Literal codes given to ``Problem(...)`` and ``Note(...)`` in one file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in ("Problem", "Note"):
                first = next((k.value for k in node.keywords if k.arg == "code"), node.args[0] if node.args else None)
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.append((first.value, node.lineno))
    return found


def test_codes_have_the_stable_form() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {code!r}"
        for path in SOURCES
        for code, line in codes_in(path)
        if not CODE.match(code)
    ]
    assert not wrong, "\n".join(wrong)


FORBIDDEN = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_MODULES = {"pickle", "patsy", "formulaic", "marshal", "shelve", "dill", "cloudpickle", "joblib"}


def test_nothing_in_the_package_can_evaluate_text() -> None:
    wrong = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} calls {node.func.id}")
            if isinstance(node, ast.Attribute) and node.attr in ("from_formula", "system", "popen"):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} uses .{node.attr}")
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                if module.split(".")[0] in FORBIDDEN_MODULES or module.startswith(
                    ("statsmodels.formula", "statsmodels.imputation")
                ):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} imports {module}")
    assert not wrong, "\n".join(wrong)


def test_no_module_has_a_vague_name() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "base", "misc", "core", "tools"}
    assert not [path for path in SOURCES if path.stem in vague]
