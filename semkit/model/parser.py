"""Reads model text in lavaan's syntax: text -> :class:`ModelSpec`."""

from __future__ import annotations

import math
import re

from semkit.errors import (
    ModelError,
    ModelSyntaxError,
    NotSupportedError,
    OptionError,
    Problem,
    spelling,
)
from semkit.model.check import product_sign_problems
from semkit.model.expression import Expression, ExpressionFailure, read_expression
from semkit.model.statements import Formula, ModelSpec, Modifier, Term
from semkit.model.tokens import MAX_LENGTH, Source, Token, split_statements

MAX_TERMS = 20_000
_FORMULA_OPERATORS = (":=", "==", "<", ">")
_NUMBER_FUNCTIONS = ("start", "lower", "upper")
_FUNCTIONS = ("c", "start", "lower", "upper", "equal", "label")
_UNSUPPORTED = {
    "efa": ("efa() blocks", "=~ with the loadings written out, cross-loadings included"),
    "rv": ("rv() random slopes", "a product term such as x:z, or group: blocks"),
    "prior": ("prior() of Bayesian estimation", "start(), lower() and upper()"),
    "level": ("level: blocks (multilevel models)", "cluster-robust standard errors, design=Design(cluster=...)"),
    "block": ("block: lines", "group: lines"),
    "class": ("class: blocks (mixtures)", "group: blocks of known groups"),
}  # fmt: skip


_THRESHOLD = re.compile(r"t[1-9][0-9]{0,3}\Z")


class _Failure(Exception):
    """Internal: a problem that ends the reading of one statement."""

    def __init__(self, problem: Problem, *, unsupported: bool = False) -> None:
        super().__init__(problem.what)
        self.problem = problem
        self.unsupported = unsupported


def parse(text: str) -> ModelSpec:
    """Read a model.

    Parameters
    ----------
    text : str
        lavaan syntax: ``=~ ~ ~~ ~1 | ~*~ := == < >``, ``+ *``, modifiers (label, number, ``NA``, ``c()``,
        ``start()``, ``lower()``, ``upper()``, ``equal()``, ``label()``), products ``a:b``, ``group:``
        blocks, comments after ``#`` or ``!``, statements on several lines or separated by ``;``.

    Returns
    -------
    ModelSpec

    Raises
    ------
    ModelSyntaxError
        Text that cannot be read; every statement's problem is listed, with line, column and a caret.
    ModelError
        ``model.product-sign``: ``x*y`` where both are variables.
    NotSupportedError
        ``model.not-supported``: syntax of lavaan that semkit does not estimate.

    Examples
    --------
    >>> spec = parse("f =~ x1 + a*x2 + x3 ; y ~ b*f + f:z")
    >>> spec.latents, spec.products, spec.labels
    (('f',), ('f:z',), ('a', 'b'))
    """
    if not isinstance(text, str):
        raise OptionError(
            Problem("model.not-text", "model", f"a {type(text).__name__} was given", "a string in lavaan syntax")
        )
    if len(text) > MAX_LENGTH:
        raise ModelSyntaxError(
            Problem("model.text-too-long", "model", f"the text has {len(text)} characters", f"at most {MAX_LENGTH}")
        )
    reader = _Reader(Source(text.lstrip("\ufeff")))
    for statement in split_statements(reader.source):
        try:
            reader.statement(statement)
        except _Failure as failure:
            (reader.unsupported if failure.unsupported else reader.problems).append(failure.problem)
    if reader.problems:
        raise ModelSyntaxError(*reader.problems, *reader.unsupported)
    if reader.unsupported:
        raise NotSupportedError(*reader.unsupported)
    if not reader.terms:
        raise ModelSyntaxError(
            Problem("model.empty", "model", "the text has no statement about variables",
                    "at least one of =~ ~ ~~", "For example: f =~ x1 + x2 + x3")
        )  # fmt: skip
    spec = ModelSpec(tuple(reader.terms), tuple(reader.formulas), tuple(reader.blocks), text)
    problems = product_sign_problems(spec)
    if problems:
        raise ModelError(*problems)
    return spec


class _Reader:
    """Reads statements one by one; keeps what it found."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.terms: list[Term] = []
        self.formulas: list[Formula] = []
        self.blocks: list[str] = []
        self.problems: list[Problem] = []
        self.unsupported: list[Problem] = []
        self.tokens: list[Token] = []
        self.next = 0

    # -- places and failures

    @property
    def token(self) -> Token:
        if self.next < len(self.tokens):
            return self.tokens[self.next]
        return Token("end", "", self.tokens[-1].end)

    def fail(self, token: Token, what: str, allowed: str = "", remedy: str = "") -> _Failure:
        return _Failure(self.source.problem("model.syntax", token.at, what, allowed, remedy))

    def unexpected(self, token: Token, allowed: str, remedy: str = "") -> _Failure:
        what = f"unexpected {_quoted(token.text)}" if token.kind != "end" else "the statement ends too early"
        return self.fail(token, what, allowed, remedy)

    def refuse(self, token: Token, feature: str) -> _Failure:
        what, alternative = _UNSUPPORTED[feature]
        problem = self.source.problem(
            "model.not-supported", token.at, f"{what}: semkit reads but does not estimate this",
            remedy=f"Use instead: {alternative}."
        )
        return _Failure(problem, unsupported=True)

    def take(self, sign: str) -> bool:
        if self.token.kind == "sign" and self.token.text == sign:
            self.next += 1
            return True
        return False

    # -- statements

    def statement(self, tokens: list[Token]) -> None:
        self.tokens, self.next = tokens, 0
        operators = [i for i, token in enumerate(tokens) if token.kind == "op"]
        if not operators:
            self.header(tokens)
            return
        operator = tokens[operators[0]]
        for token in tokens:
            if token.kind == "bad":
                raise self.stray(token)
        if len(operators) > 1:
            second = tokens[operators[1]]
            raise self.fail(
                second, f"a second operator {_quoted(second.text)} in one statement", "one operator a statement",
                "Begin a new line, or remove a + or * at the end of the line above."
            )  # fmt: skip
        if operator.text in _UNSUPPORTED:
            raise self.refuse(operator, operator.text)
        if operator.text in _FORMULA_OPERATORS:
            self.formula(operators[0])
        else:
            self.relation(operator)

    def stray(self, token: Token) -> _Failure:
        remedies = {
            "=": "Use =~ for 'is measured by', == for 'is equal to', := for 'is defined as'.",
            "<=": "Write <: an inequality includes its bound.",
            ">=": "Write >: an inequality includes its bound.",
            "?": "Write start(0.5)*x for a starting value.",
            '"': "The closing quotation mark is missing.",
            "'": "The closing quotation mark is missing.",
        }
        return self.unexpected(token, "names, numbers and the operators =~ ~ ~~ := == < > + * :",
                               remedies.get(token.text, ""))  # fmt: skip

    def header(self, tokens: list[Token]) -> None:
        first = tokens[0]
        for token in tokens:
            if token.kind == "bad":
                raise self.stray(token)
        if first.kind == "name" and len(tokens) > 1 and tokens[1].text == ":":
            if first.text in ("level", "block", "class"):
                raise self.refuse(first, first.text)
            if first.text == "group":
                if len(tokens) != 3 or tokens[2].kind not in ("name", "number", "string"):
                    raise self.unexpected(tokens[min(len(tokens) - 1, 3)], "group: and one value, for example group: 1")
                self.open_block(tokens[2])
                return
        raise self.fail(
            first, "this statement has no operator", "=~ ~ ~~ := == < >", "For example: f =~ x1 + x2, or y ~ x."
        )

    def open_block(self, token: Token) -> None:
        value = _unquoted(token)
        if value in self.blocks or not value:
            raise self.fail(token, f'group "{value}" has two blocks' if value else "a group needs a value")
        if not self.blocks and self.terms:
            raise self.fail(token, "there are statements before the first group: line",
                            "group: above the first statement")  # fmt: skip
        self.blocks.append(value)

    def formula(self, at: int) -> None:
        operator = self.tokens[at]
        sides: list[Expression] = []
        for part in (self.tokens[:at], self.tokens[at + 1 :]):
            if not part:
                side = "left" if not sides else "right"
                raise self.fail(operator, f"nothing on the {side} of {operator.text}", "an expression of labels")
            sides.append(self.expression(part))
        lhs, rhs = sides
        if operator.text == ":=" and (len(self.tokens[:at]) != 1 or not lhs.names):
            raise self.fail(self.tokens[0], "the left side of := must be one new name", 'for example "total := a + b"')
        self.formulas.append(Formula(lhs, operator.text, rhs, self.source.position(self.tokens[0].at)))

    def expression(self, tokens: list[Token]) -> Expression:
        # Spaces keep the distance between tokens, so that a failure's offset is an offset in the text.
        start = tokens[0].at
        text = ""
        for token in tokens:
            text += " " * (token.at - start - len(text)) + token.text
        try:
            return read_expression(text)
        except ExpressionFailure as failure:
            raise _Failure(
                self.source.problem("model.expression", start + failure.at, failure.what, failure.allowed,
                                    failure.remedy)
            ) from None  # fmt: skip

    def relation(self, operator: Token) -> None:
        lefts = self.left_side(operator)
        block = self.blocks[-1] if self.blocks else ""
        rights: list[tuple[str, str, tuple[Modifier, ...], Token]] = []
        while True:
            rights.append(self.right_term(operator.text))
            if self.token.kind == "end":
                break
            if not self.take("+"):
                raise self.unexpected(self.token, "+ between terms, * after a modifier, : in a product")
        if len(self.terms) + len(lefts) * len(rights) > MAX_TERMS:
            raise self.fail(operator, f"the model has more than {MAX_TERMS} terms")
        self.check_ordinal(operator, lefts, rights)
        position = self.source.position
        for lhs, left in lefts:
            for op, rhs, modifiers, right in rights:
                measured = lhs if op == "=~" and not rhs else rhs  # "f =~ 0": a factor without indicators
                self.terms.append(Term(lhs, op, measured, modifiers, block, position(right.at), position(left.at)))

    def check_ordinal(
        self, operator: Token, lefts: list[tuple[str, Token]],
        rights: list[tuple[str, str, tuple[Modifier, ...], Token]],
    ) -> None:
        """Thresholds are ``t1 t2 ...``; a scale belongs to one variable."""
        for _, rhs, _, token in rights:
            if operator.text == "|" and not _THRESHOLD.match(rhs):
                raise self.fail(token, f"{_quoted(rhs)} is not a threshold", "t1, t2, t3 ...",
                                "For example: x | t1 + t2")  # fmt: skip
            if operator.text == "~*~" and any(lhs != rhs for lhs, _ in lefts):
                raise self.fail(token, "the scale of a response stands with one variable",
                                f"{lefts[0][0]} ~*~ {lefts[0][0]}")  # fmt: skip

    def left_side(self, operator: Token) -> list[tuple[str, Token]]:
        if self.token is operator:
            raise self.fail(operator, f"nothing on the left of {operator.text}", "the name of a variable")
        lefts = []
        while True:
            token = self.token
            if token.kind == "name" and token.text in ("efa", "rv") and self.tokens[self.next + 1].text == "(":
                raise self.refuse(token, token.text)
            lefts.append((self.variable(), token))
            if self.token is operator:
                self.next += 1
                return lefts
            if not self.take("+"):
                raise self.unexpected(self.token, f"+ or {operator.text} (modifiers stand on the right side)")

    def variable(self) -> str:
        token = self.token
        if token.kind != "name" or token.text == "NA":
            raise self.unexpected(token, "the name of a variable")
        self.next += 1
        name = token.text
        while self.take(":"):
            if self.token.kind != "name":
                raise self.unexpected(self.token, "the name of a variable after :")
            name += ":" + self.token.text
            self.next += 1
        return name

    # -- right side

    def right_term(self, op: str) -> tuple[str, str, tuple[Modifier, ...], Token]:
        modifiers: list[Modifier] = []
        while True:
            token = self.token
            following = self.tokens[self.next + 1] if self.next + 1 < len(self.tokens) else None
            ends = following is None or following.text == "+"
            if token.kind == "number" and ends:
                return self.intercept(op, token, modifiers)
            is_call = following is not None and following.text == "("
            is_modifier = following is not None and following.text == "*"
            if token.kind == "name" and not is_call and not is_modifier:
                return op, self.variable(), tuple(modifiers), token
            modifiers.append(self.modifier())
            if not self.take("*"):
                raise self.unexpected(self.token, "* between a modifier and its variable")

    def intercept(
        self, op: str, token: Token, modifiers: list[Modifier]
    ) -> tuple[str, str, tuple[Modifier, ...], Token]:
        number = float(token.text)
        if op == "=~" and number == 0.0 and not modifiers:
            self.next += 1
            return op, "", (Modifier("fixed", (0.0,), self.source.position(token.at)),), token
        if op != "~" or number not in (0.0, 1.0) or (number == 0.0 and modifiers):
            raise self.unexpected(token, "a variable; 1 (or 0) as a term is the intercept of a regression, y ~ 1")
        self.next += 1
        if number == 0.0:
            modifiers = [Modifier("fixed", (0.0,), self.source.position(token.at))]
        return "~1", "", tuple(modifiers), token

    def modifier(self) -> Modifier:
        token = self.token
        position = self.source.position(token.at)
        if token.kind == "name" and self.tokens[self.next + 1 :] and self.tokens[self.next + 1].text == "(":
            return self.call(token)
        value = self.value()
        if isinstance(value, str):
            if not value:
                raise self.fail(token, "an empty label")
            return Modifier("label", (value,), position)
        return Modifier("fixed", (value,), position)

    def value(self) -> float | str | None:
        """A number with or without sign, NA, a name or a quoted string."""
        token = self.token
        negative = self.take("-")
        signed = negative or self.take("+")
        current = self.token
        if current.kind == "number":
            self.next += 1
            number = float(current.text) * (-1.0 if negative else 1.0)
            if not math.isfinite(number):
                raise self.fail(current, f"the number {current.text[:20]} is too large")
            return number
        if signed or current.kind not in ("name", "string"):
            raise self.unexpected(token, "a variable, a label, a number or NA")
        self.next += 1
        return None if current.kind == "name" and current.text == "NA" else _unquoted(current)

    def call(self, name: Token) -> Modifier:
        if name.text in _UNSUPPORTED:
            raise self.refuse(name, name.text)
        if name.text not in _FUNCTIONS:
            raise self.fail(name, f'unknown function "{name.text}"', ", ".join(f"{f}()" for f in _FUNCTIONS),
                            spelling(name.text, _FUNCTIONS))  # fmt: skip
        self.next += 1
        values = self.arguments()
        position = self.source.position(name.at)
        numbers = all(value is None or isinstance(value, float) for value in values)
        texts = all(value is None or isinstance(value, str) for value in values)
        if name.text == "c":
            if numbers:
                return Modifier("fixed", values, position)
            if texts:
                return Modifier("label", tuple("" if value is None else value for value in values), position)
            raise self.fail(name, "c() mixes numbers and labels", "all numbers (or NA), or all labels (or NA)")
        if name.text in _NUMBER_FUNCTIONS:
            if not numbers:
                raise self.fail(name, f"{name.text}() takes numbers", f"for example {name.text}(0.5)*x")
            return Modifier(name.text, values, position)
        if not texts or None in values or "" in values:
            raise self.fail(name, f"{name.text}() takes labels", f'for example {name.text}("a")*x')
        return Modifier(name.text, values, position)

    def arguments(self) -> tuple[float | str | None, ...]:
        """``(v, v, ...)`` or ``(c(v, v, ...))``."""
        self.next += 1
        inner = self.token.text == "c" and self.tokens[self.next + 1 :] and self.tokens[self.next + 1].text == "("
        if inner:
            self.next += 2
        values = [self.value()]
        while self.take(","):
            values.append(self.value())
        for _ in range(2 if inner else 1):
            if not self.take(")"):
                raise self.unexpected(self.token, '"," or ")"')
        return tuple(values)


def _unquoted(token: Token) -> str:
    return token.text[1:-1] if token.kind == "string" else token.text


def _quoted(text: str) -> str:
    shown = text if len(text) <= 40 else text[:37] + "..."
    return f"'{shown}'" if '"' in shown else f'"{shown}"'
