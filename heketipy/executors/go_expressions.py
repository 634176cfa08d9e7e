r"""Regular expressions as Go's programs read them (RE2), made into Python's.

Differences that matter: `$` is the end of the text alone, `\z` is the same, classes of POSIX (`[[:digit:]]`) and
`\Q…\E` exist, and `\d`, `\w`, `\s` are about ASCII. What only Python knows, as look-around, is not refused.
"""

import re
from collections.abc import Iterator

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": r"0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_TOKEN = re.compile(
    r"\\Q(?P<literal>.*?)(?:\\E|\Z)"
    r"|\[:(?P<negated>\^?)(?P<class>[a-z]+):\]"
    r"|(?P<escape>\\.)|(?P<end>\$)|(?P<open>\[\^?\]?)|(?P<close>\])|.",
    re.DOTALL,
)
_MULTILINE = re.compile(r"\(\?[imsU]*m")


def compile_go(pattern: str) -> re.Pattern[str]:
    """Return the expression. Raises ValueError with the reason if it is none."""
    try:
        return re.compile("".join(_translated(pattern)), re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _translated(pattern: str) -> Iterator[str]:
    by_line = _MULTILINE.search(pattern) is not None
    inside = False
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        match token.lastgroup:
            case "literal":
                yield re.escape(token["literal"])
            case "class" if inside:
                yield _class(token["class"], negated=bool(token["negated"]))
            case "escape" if text == r"\z":
                yield r"\Z"
            case "end" if not (inside or by_line):
                yield r"\Z"
            case "open" if not inside:
                inside = True
                yield text.replace("]", r"\]")
            case "open":
                # Within a class it is a character, which Python warns of where another one follows.
                yield text.replace("[", r"\[").replace("]", "")
                if text.endswith("]"):
                    inside = False
                    yield "]"
            case "close" if inside:
                inside = False
                yield text
            case _:
                yield text


def _class(name: str, *, negated: bool) -> str:
    if negated or name not in _CLASSES:
        raise ValueError(f"no class of characters: [:{'^' * negated}{name}:]")
    return _CLASSES[name]
