"""From bytes to text, as browsers do it: the byte order mark, the header, the page's own word, then a guess."""

from __future__ import annotations

import codecs
import re

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([a-zA-Z0-9_.:-]{2,40})""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([a-zA-Z0-9_.:-]{2,40})""")
# What pages that say the left really use: https://encoding.spec.whatwg.org/#names-and-labels
_WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "utf-16": "utf-16-le",
}
_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127, *range(128, 160)))


def decode_page(body: bytes, charset: str = "") -> str:
    """The page's text without control characters. Never fails: what does not decode is replaced."""
    return drop_control_characters(_decode(body, charset))


def drop_control_characters(text: str) -> str:
    """Leaves tabs and line ends. Markup can spell the others out (`&#7;`), so what was parsed is cleaned again."""
    return text.translate(_CONTROL)


def _decode(body: bytes, charset: str) -> str:
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    named = _codec(charset) or _codec(_declared(body))
    for name in dict.fromkeys(filter(None, (named, "utf-8"))):
        try:
            return body.decode(name)
        except UnicodeDecodeError:
            continue
    if named and named != "utf-8":
        # The cp125x tables of Python have holes that browsers fill; one odd byte does not make the label wrong.
        return body.decode(named, "replace")
    from charset_normalizer import from_bytes  # slow to load, and few pages need it

    guess = from_bytes(body[:200_000]).best()
    return body.decode(guess.encoding if guess else "cp1252", "replace")


def _declared(body: bytes) -> str:
    match = _META.search(body[:4096]) or _XML.search(body[:200])
    name = match[1].decode("ascii") if match else ""
    # A declaration that could be read byte by byte cannot be in UTF-16, whatever it says.
    return "utf-8" if name.lower().startswith("utf-16") else name


def _codec(label: str) -> str:
    try:
        found = codecs.lookup(label.strip()) if label.strip() else None
    except (LookupError, ValueError):
        return ""
    if found is None or not found._is_text_encoding:
        return ""
    return _WIDER.get(found.name, found.name)
