"""Text as typed → text Python's parser accepts, with the column every character came from.

Outside text literals, full-width signs become their plain forms and ``if(`` becomes a call. What Python would accept
but this language has no use for (prefixes, odd escapes, glued literals, unknown signs) is refused here with its
column, so the parser behind sees only plain tokens. Knows nothing of grammar or names.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.problems import Param, Problem, problem

MAX_LENGTH = 2_000
IF_CALL = "iff"
PLAIN = MappingProxyType(
    {"×": "*", "÷": "/", "≥": ">=", "≤": "<=", "≠": "!=", "−": "-", "。": ".", "【": "[", "】": "]", "\u3000": " "}
)
CURLY_QUOTES = MappingProxyType({"“": "”", "‘": "’"})
STRAIGHT_QUOTES = ("'", '"')
REPLACED_OPERATORS = MappingProxyType(
    {"&&": "and", "||": "or", "<>": "!=", "===": "==", "!==": "!=", "=": "==", "!": "not", "&": "and", "|": "or"}
)
OPERATORS = frozenset({"+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!=", "(", ")", "[", "]", ",", "."})
ALLOWED_WORDS = frozenset({"and", "or", "not", "in", "if", "else", "True", "False", "None"})
RESERVED_WORDS = frozenset(
    {"as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "except", "finally", "for",
     "from", "global", "import", "is", "lambda", "nonlocal", "pass", "raise", "return", "try", "while", "with", "yield"}
)  # fmt: skip
BEFORE_OPERAND = frozenset({"and", "or", "not", "in", "if", "else"})
ESCAPES = frozenset({"'", '"', "\\", "n", "t"})
SIGN = re.compile(r"!==|===|\*\*|//|<=|>=|==|!=|<>|&&|\|\||.", re.DOTALL)
NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+")
DIGITS_MAX = 28
ASCII = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(slots=True)
class Scanned:
    """Plain text, the column (from 0) in the typed text of each of its characters, and what was wrong."""

    pieces: list[str] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def put(self, piece: str, column: int) -> None:
        """Append ``piece``, all of it standing at ``column``."""
        self.pieces.append(piece)
        self.columns.extend([column] * len(piece))

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def at(code: str, column: int, **params: Param) -> Problem:
    """A problem of this language at ``column`` (from 0); shown from 1."""
    return problem(code, f"column {column + 1}", column=column + 1, **params)


def scan(text: str) -> Scanned:
    """Read ``text`` into plain tokens; problems are collected, and an offending piece is left out."""
    result = Scanned()
    before = "("
    position = 0
    while position < len(text):
        piece, end = _token(text, position, before, result)
        before = piece or before
        position = end
    return result


def _token(text: str, start: int, before: str, result: Scanned) -> tuple[str, int]:
    """Put the token at ``start``; give it (empty for white space) and where the next one begins."""
    character = text[start]
    if character.isspace() or character in "\ufeff":
        result.put(" ", start)
        return "", start + 1
    plain = _plain(character)
    if plain in STRAIGHT_QUOTES or character in CURLY_QUOTES:
        return _literal(text, start, before, result)
    if _digit(text, start) or (plain == "." and _digit(text, start + 1) and not _is_operand(before)):
        return _number(text, start, before, result)
    if plain.isidentifier():
        return _word(text, start, before, result)
    return _sign(text, start, result)


def _plain(character: str) -> str:
    """Full-width signs and digits as their plain forms; everything else as it is."""
    if character in PLAIN:
        return PLAIN[character]
    if "\uff01" <= character <= "\uff5e":
        return unicodedata.normalize("NFKC", character)
    return character


def _digit(text: str, position: int) -> bool:
    return position < len(text) and _plain(text[position]) in "0123456789"


def _is_operand(token: str) -> bool:
    """Whether an operator, not an operand, must follow ``token``."""
    return token in (")", "]", "'") or (token not in BEFORE_OPERAND and (token[0].isalnum() or token[0] == "_"))


def _literal(text: str, start: int, before: str, result: Scanned) -> tuple[str, int]:
    closing = CURLY_QUOTES.get(text[start], text[start])
    position = start + 1
    content: list[tuple[str, int]] = []
    while position < len(text) and text[position] != closing:
        character = text[position]
        if character == "\\":
            escaped = text[position + 1 : position + 2]
            if escaped not in ESCAPES or not escaped:
                result.problems.append(at("expression.escape", position))
            content.append((character + escaped, position))
            position += 2
            continue
        if unicodedata.category(character) in ("Cc", "Cs"):
            result.problems.append(at("expression.control_character", position))
        # the literal is rewritten between plain double quotes, so a double quote inside must be escaped
        content.append(("\\" + character if character == '"' else character, position))
        position += 1
    if position >= len(text):
        result.problems.append(at("expression.text_unclosed", start))
        return "'", len(text)
    if _is_operand(before):
        result.problems.append(at("expression.operator_missing", start))
    result.put('"', start)
    for piece, column in content:
        result.put(piece, column)
    result.put('"', position)
    return "'", position + 1


def _number(text: str, start: int, before: str, result: Scanned) -> tuple[str, int]:
    end = start
    while end < len(text) and (_plain(text[end]) in "._" or _plain(text[end]) in ASCII):
        end += 1
    plain = "".join(map(_plain, text[start:end]))
    if NUMBER.fullmatch(plain) is None or sum(map(str.isdigit, plain)) > DIGITS_MAX:
        result.problems.append(at("expression.number", start, number=plain[:40]))
        return "0", end
    if _is_operand(before):
        result.problems.append(at("expression.operator_missing", start))
    integer, point, fraction = plain.partition(".")
    # Python refuses integers with leading zeros; as decimals they are harmless
    result.put((integer.lstrip("0") or "0") + point + fraction, start)
    return "0", end


def _word(text: str, start: int, before: str, result: Scanned) -> tuple[str, int]:
    end = start + 1
    while end < len(text) and ("a" + _plain(text[end])).isidentifier():
        end += 1
    word = unicodedata.normalize("NFKC", text[start:end])
    following = text[end:].lstrip()[:1]
    if word == "is" and _is_operand(before):
        result.problems.append(at("expression.operator", start, operator=word, suggestion="=="))
        return "+", end
    if _plain(following) == "(" and word.casefold() == "if" and not _is_operand(before):
        word = IF_CALL
    elif _is_operand(before) and word not in ("and", "or", "not", "in", "if", "else"):
        result.problems.append(at("expression.operator_missing", start))
    if word in RESERVED_WORDS:
        result.problems.append(at("expression.reserved_word", start, word=word))
    if len(word) == end - start:
        for place, character in enumerate(word):
            result.put(character, start + place)
    else:
        result.put(word, start)
    if following in STRAIGHT_QUOTES and word not in ALLOWED_WORDS:
        result.problems.append(at("expression.operator_missing", end))
        return "(", end
    return word, end


def _sign(text: str, start: int, result: Scanned) -> tuple[str, int]:
    plain = "".join(_plain(character) for character in text[start : start + 3])
    matched = SIGN.match(plain)
    sign = matched.group() if matched else plain
    # one full-width character may stand for two plain ones (≥), so count what was consumed
    consumed = 0
    length = 0
    while length < len(sign):
        length += len(_plain(text[start + consumed]))
        consumed += 1
    sign = plain[:length]
    if sign in OPERATORS:
        result.put(sign, start)
    elif sign in REPLACED_OPERATORS:
        result.problems.append(at("expression.operator", start, operator=sign, suggestion=REPLACED_OPERATORS[sign]))
    elif sign == "**":
        result.problems.append(at("expression.operator", start, operator=sign, suggestion="a * a"))
    else:
        result.problems.append(at("expression.character", start, character=_shown(sign)))
    return sign if sign in OPERATORS else "+", start + consumed


def _shown(sign: str) -> str:
    return sign if sign.isprintable() else f"U+{ord(sign[0]):04X}"
