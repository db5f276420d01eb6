"""What no log line may show: secrets, known by their name, their shape, the path they are in, or
because the process was started with them.

It hides too much rather than too little. Our own ids stay: UUIDs, and 32 hexadecimal digits. Logged
text may be long and may come from an attacker, so no pattern looks at one place more than a bounded
number of times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

HIDDEN = "[hidden]"
Replacement = str | Callable[[re.Match[str]], str]

_NAMES = (
    r"token|secret|passw|authorization|cookie|csrf|session|verifier|credential|signature|api_?key"
)
_SECRET_NAME = re.compile(rf"{_NAMES}|^code$|^sid$|_dsn$|database_url", re.IGNORECASE)
_SLASH = r"(?:/|%(?:25)*2F)"
# Pages whose address is a secret. Once Django has resolved one, its parameters tell.
_SECRET_PAGES = rf"(?:join|feeds|password{_SLASH}reset{_SLASH}key|confirm(?:-email)?|verify)"
# A word of a program, in the source lines of a traceback: no secret looks like that.
_PLAIN_WORD = re.compile(r"[a-z_][a-z_.]*(?:[\[(].*)?|None|True|False")


@dataclass(frozen=True)
class _Pattern:
    """What to hide, and a hint: words in lower case, one of which is in every text that contains
    it. Looking for the words costs a tenth of the search."""

    signs: tuple[str, ...]
    expression: re.Pattern[str]
    replacement: Replacement

    def hide(self, text: str, small: str) -> str:
        if any(map(small.__contains__, self.signs)):
            return self.expression.sub(self.replacement, text)
        return text


def _pattern(signs: str, expression: str, replacement: Replacement, flags: int = 0) -> _Pattern:
    return _Pattern(tuple(signs.split()), re.compile(expression, flags), replacement)


_PATTERNS = (
    # A template error lists everything that is there, the request with its cookies included.
    _pattern(
        "lookup",
        r"(Failed lookup for key \[[^\]]{0,200}\]) in .*?(?=\n\n|\Z)",
        rf"\1 in {HIDDEN}",
        re.DOTALL,
    ),
    # PostgreSQL's details of a refusal quote the row.
    _pattern("failing", r"(Failing row contains ).*", rf"\1{HIDDEN}"),
    _pattern(")=(", r"(Key \(.{0,200}?\)=\().*(\))", rf"\1{HIDDEN}\2"),
    _pattern("://", r"(?<=://)[^\s/@'\"]+(?=@)", HIDDEN),
    _pattern(
        "join feeds reset confirm verify",
        rf"((?:{_SLASH}|['\"]|^){_SECRET_PAGES}{_SLASH})(?:%[0-9a-f]{{2}}|[^\s/'\"?&<>),%])+",
        rf"\1{HIDDEN}",
        re.IGNORECASE,
    ),
    # Headers run to the end of their line, or of the quotes around them.
    _pattern(
        "cookie authorization",
        r"((?:cookie|authorization)['\"]?\s{0,9}[:,=]\s{0,9}b?)"
        r"(?:'[^'\n]*'?|\"[^\"\n]*\"?|[^'\"\s][^'\"\n]*)",
        rf"\1{HIDDEN}",
        re.IGNORECASE,
    ),
    _pattern("bearer basic", r"\b((?:Bearer|Basic) )\S+", rf"\1{HIDDEN}", re.IGNORECASE),
    _pattern(
        _NAMES.replace("|", " ").replace("_?", "_") + " apikey",
        rf"((?:{_NAMES})[\w-]{{0,40}}['\"\]]{{0,2}}\s{{0,9}}(?:[:=]|,(?=\s{{0,9}}b?['\"]))\s{{0,9}})"
        r"(b?'[^'\n]*'?|b?\"[^\"\n]*\"?|\[[^\]\n]*\]?|[^\s'\"&;,)\]}>]+)",
        lambda found: found[1] + (found[2] if _is_plain(found) else HIDDEN),
        re.IGNORECASE,
    ),
    _pattern(
        "= %3d",
        r"((?:[?&]|%3F|%26)(?:code|state|key|sig|hash)(?:=|%3D))[^&\s\"'%]+",
        rf"\1{HIDDEN}",
        re.IGNORECASE,
    ),
    # The shapes of Google's, Django's and our own secrets, wherever they turn up.
    _pattern(
        "ya29. 1// 1%2f 4/ 4%2f gocspx- sophiie_ whsec_ eyj gaaaa $",
        r"ya29\.[\w.~/+-]+"
        r"|(?<![\w.])1(?://|%2F%2F)[\w.~/+%-]+"
        r"|(?<![\w.])4(?:/|%2F)[\w-]{10,}"
        r"|GOCSPX-[\w-]+"
        r"|sophiie_[0-9a-zA-Z_-]{20,}"
        r"|whsec_[\w+/=-]+"
        r"|(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]+"
        r"|gAAAA[\w-]{16,}={0,2}"
        r"|\b(?:pbkdf2|argon2|bcrypt|scrypt|md5|sha1)\w*\$[^\s'\",;)]+",
        HIDDEN,
    ),
)
# Whatever else was drawn at random: session keys, CSRF tokens, states, digests.
_LONG = re.compile(r"[A-Za-z0-9_-]{30,}")
_SHORTEST_RANDOM = 30
# One of these is in each of the others.
_SIGNS = frozenset("./_=:%$'\"(, ")
# Most lines consist of these and hide nothing: one word, or a moment.
_HARMLESS = re.compile(r"[a-z ]{1,40}|sophiie[.a-z_]+|\d{4}-\d\d-\d\dT[\d:.]+Z")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OUR_ID = re.compile(r"[0-9a-f]{32}")

_known: list[re.Pattern[str]] = []


def hide_known(values: Iterable[str]) -> None:
    """Hides these texts from now on in everything this process logs, also percent-encoded."""
    long_enough = {value for value in values if len(value) >= 8}
    spelled = sorted({s for v in long_enough for s in (v, quote(v, safe=""))}, key=len)
    _known[:] = [re.compile("|".join(map(re.escape, reversed(spelled))))] if spelled else []


def names_a_secret(key: str) -> bool:
    """Whether a value under this name must not be shown to anybody."""
    return _names_a_secret(key)


@lru_cache(maxsize=1000)
def _names_a_secret(key: str) -> bool:
    return _SECRET_NAME.search(key) is not None


def without_secrets(text: str) -> str:
    """The text with every recognisable secret hidden."""
    for known in _known:
        text = known.sub(HIDDEN, text)
    if len(text) < _SHORTEST_RANDOM and _SIGNS.isdisjoint(text):
        return text
    if _HARMLESS.fullmatch(text):
        return text
    small = text.lower()
    for pattern in _PATTERNS:
        text = pattern.hide(text, small)
    if len(text) < _SHORTEST_RANDOM:
        return text
    return _LONG.sub(lambda found: HIDDEN if _is_random(found[0]) else found[0], text)


def without_literals(statement: str) -> str:
    """The SQL statement without its values."""
    statement = re.sub(r"; args=.*", "", statement, flags=re.DOTALL)
    return re.sub(r"'(?:[^']|'')*'", "'…'", statement)


def secrets_in_path(request: Any) -> list[str]:
    """The parts of a request's path that only its receiver may know: the key of an invitation or a
    password reset. None if Django has not resolved the path yet."""
    match = getattr(request, "resolver_match", None)
    words = match.kwargs.items() if match else ()
    return [str(value) for name, value in words if name in ("secret", "key", "token") and value]


def _is_plain(found: re.Match[str]) -> bool:
    """Whether what follows a name is an ordinary word, or hidden already."""
    if "passw" in found[1].lower():
        return found[2] == HIDDEN
    return found[2].startswith(HIDDEN) or _PLAIN_WORD.fullmatch(found[2]) is not None


def _is_random(word: str) -> bool:
    if _UUID.fullmatch(word) or _OUR_ID.fullmatch(word):
        return False
    if not any(letter.isdigit() for letter in word):
        return False  # the long name of something
    mixed = any(letter.isupper() for letter in word) and any(letter.islower() for letter in word)
    return mixed or not ("_" in word or "-" in word)
