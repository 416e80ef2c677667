"""From bytes to text, as browsers do it: by the byte order mark, the header, the page's declaration, then a guess."""

from __future__ import annotations

import re

from w3lib.encoding import html_body_declared_encoding, read_bom, resolve_encoding, to_unicode

# Python's names of what browsers read (https://encoding.spec.whatwg.org/#names-and-labels). Python reads more, and some
# of that in quadratic time (punycode).
_READ_BY_BROWSERS = re.compile(
    r"utf-8|utf-16(-[bl]e)?|cp(125\d|866|874|932|949)|iso8859-\d+|koi8-[ru]|mac-roman"
    r"|gb18030|big5hkscs|euc_jp|iso2022_jp"
)
_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127, *range(128, 160)))


def decode_page(body: bytes, charset: str = "") -> str:
    """Return a page's text without control characters. `charset` is the HTTP header's, or empty.

    Never fail: what does not decode is replaced.
    """
    return drop_control_characters(_decode(body, charset))


def drop_control_characters(text: str) -> str:
    """Return the text without control characters but tabs and line ends.

    Markup can spell them (`&#7;`), so text that was parsed is cleaned again.
    """
    return text.translate(_CONTROL)


def _decode(body: bytes, charset: str) -> str:
    marked, mark = read_bom(body)
    if marked and mark:
        return to_unicode(body[len(mark) :], marked)
    named = _read_by_browsers(resolve_encoding(charset)) or _declared(body)
    for encoding in dict.fromkeys(filter(None, (named, "utf-8"))):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    # The cp125x tables of Python have holes that browsers fill; one odd byte does not make the label wrong.
    return to_unicode(body, named if named and named != "utf-8" else _guess(body))


def _declared(body: bytes) -> str | None:
    declared = _read_by_browsers(html_body_declared_encoding(body))
    # A declaration that could be read byte by byte cannot be in UTF-16, whatever it says.
    return "utf-8" if declared and declared.startswith("utf-16") else declared


def _read_by_browsers(encoding: str | None) -> str | None:
    return encoding if encoding and _READ_BY_BROWSERS.fullmatch(encoding) else None


def _guess(body: bytes) -> str:
    from charset_normalizer import from_bytes  # slow to load, and few pages need it

    guess = from_bytes(body[:200_000]).best()
    return guess.encoding if guess else "cp1252"
