"""Sentences that can stand in a post: whole ones, not navigation, code, or half of a thought."""

from __future__ import annotations

import re
from functools import lru_cache

from app.content.citations import find_citations
from worker.agents.text.similarity import words
from worker.agents.text.stopwords import base_language, stopwords

MIN_WORDS, MAX_WORDS = 6, 48

_WEB = (
    r"©|\ball rights reserved\b|\bcopyright\b|\bcookies?\b|\bclick (?:here|on|the)\b|\b(?:read|learn) more\b"
    r"|\b(?:more|additional|further) information\b"
    r"|\bsee (?:also|below|above|the|section|our)\b|\bsign (?:up|in)\b|\blog ?in\b|\bsubscribe\b"
    r"|\blast (?:modified|updated)\b|\btable of contents\b|\bprivacy policy\b|\bterms of (?:service|use)\b"
    r"|\bjavascript (?:is|to)\b|\bcontact us\b|\bthe (?:web )?page\b.*\bhas been\b"
)
_PICTURES = (
    r"\b(?:diagram|figure|picture|illustration|screenshot|table|image)s?\b.*"
    r"\b(?:above|below|right|left|shows?|shown|depicts)\b|\bthe chart\b"
    r"|\b(?:shown|depicted|illustrated) (?:in|by|at|to) the (?:diagram|figure|picture|image|right|left)\b"
)
_CROSS_REFERENCES = (
    r"\b(?:described|explained|discussed|shown|mentioned|listed|noted|given|outlined|defined)"
    r" (?:above|below|earlier|later|previously|in (?:the )?(?:previous|next|following|section))\b"
    r"|\b(?:above|below)\b[,.)]|\bthe (?:above|below|following|previous|next|preceding|subsequent) (?:\w+ )?"
    r"(?:list|tables?|sections?|paragraphs?|examples?|diagram|figure|chapter|steps?|code|query|queries)\b"
    r"|\bthis (?:document|article|page|section|paper|chapter|appendix|tutorial|essay|guide|website|web site|post)\b"
    r"|\bwe (?:begin|start|now|will (?:now|discuss|describe|call|see|use)|have (?:seen|discussed)|call)\b"
    r"|\bsections? \d|\bprevious sections?\b|\bremainder of this\b|\bhereafter\b"
)
_BOILERPLATE = re.compile(f"{_WEB}|{_PICTURES}|{_CROSS_REFERENCES}", re.IGNORECASE)
_CODE = re.compile(r"[{}]|==|!=|->|=>|::|;\s*$|</?\w+>|https?://|\bSELECT\b.*\bFROM\b|^\W*\$ |\w\(\w*,|\\\w")
_EXPLETIVE = r"it(?! is (?:possible|important|recommended|best|easy|worth|necessary|difficult))"
_DEPENDENT_START = re.compile(
    rf"^\(|^[\"'“]?(?:this|that|these|those|{_EXPLETIVE}|its|they|their|them|he|she|his|her|however|but|and|or|so"
    r"|thus"
    r"|therefore|hence|also|moreover|furthermore|further|instead|otherwise|then|such|consequently|similarly|similar"
    r"|likewise|nevertheless|nonetheless|still|yet|accordingly|additionally|besides|meanwhile|conversely|alternatively"
    r"|again|here|both|either|neither|another|others?|some|finally|first|second|third|fourth|fifth|last|lastly"
    r"|firstly|secondly|thirdly|next|exception|except|observe|notice|recall|remember|note(?: that)?|of course"
    r"|the (?:first|second|third|fourth|fifth|last|next|only other|others?|same|latter|former|previous|following"
    r"|reason|idea|result|difference|exception|solution|point|answer|problem|opposite|rest|remaining|resulting|above)"
    r"|for (?:example|instance|this|that|these|those)|in (?:this|that|these|such|addition|contrast|other words"
    r"|the first|both|either|fact|the meantime)|on the other hand|as (?:a result|such|before|an example|with)"
    r"|at (?:this|that) (?:point|time)|because of (?:this|that)|by contrast|to (?:do|achieve) (?:this|that|so)"
    r"|with (?:this|that|these|those)|from this|under these|no(?=,)|yes(?=,)|all of (?:this|these)"
    r"|one (?:of these|such)"
    r"|if (?:this|that|so|not|it|they|either|both)|when (?:this|that|it|they)|once (?:this|that)|each of|every such"
    r"|even (?:so|then|though|this|that)|only then|after (?:it|they|this|that|the (?:first|last))"
    r"|un(?:like|til) (?:this|that)"
    r"|(?:because|since) (?:it|they|this|that)|with(?:out)? (?:this|that|one|it|them))\b",
    re.IGNORECASE,
)
_CONTRASTING = re.compile(r",? \b(?:however|therefore|though|as well|too)\b[,.]", re.IGNORECASE)
_ENDING = re.compile(r"[.!?][\"'”’)]?$")


@lru_cache(maxsize=8192)
def is_prose(sentence: str, language: str = "en") -> bool:
    """Return whether a sentence is prose: whole, of a usual length, without traces of navigation or code."""
    count = len(words(sentence))
    return (
        MIN_WORDS <= count <= MAX_WORDS
        and sentence.isprintable()
        and _starts_well(sentence)
        and _ENDING.search(sentence) is not None
        and not sentence.endswith("...")
        and not _BOILERPLATE.search(sentence)
        and not _CODE.search(sentence)
        and not find_citations(sentence)
        and _is_balanced(sentence)
        and _reads_like_language(sentence, count, language)
    )


def _starts_well(sentence: str) -> bool:
    first = sentence.lstrip('"“(')[:1]
    return (first.isalpha() and not first.islower()) or re.match(r"\d{4}\b", sentence) is not None


def _is_balanced(sentence: str) -> bool:
    pairs = (("(", ")"), ("[", "]"), ("“", "”"))
    return all(sentence.count(left) == sentence.count(right) for left, right in pairs) and sentence.count('"') % 2 == 0


def _reads_like_language(sentence: str, count: int, language: str) -> bool:
    letters = sum(char.isalpha() for char in sentence)
    solid = sum(not char.isspace() for char in sentence)
    found = words(sentence)
    if letters < 0.8 * solid or sum(word.isupper() and len(word) > 1 for word in found) > 0.3 * count:
        return False
    known = stopwords(language)
    if not known:
        return True
    functional = sum(word.lower().replace("’", "'") in known for word in found)
    capitals = sum(word[:1].isupper() for word in found)
    return functional >= max(2, 0.2 * count) and (capitals <= 0.5 * count or base_language(language) == "de")


def depends_on_previous(sentence: str) -> bool:
    """Return whether an (English) sentence depends on the one before it: "This …", "However, …", "The second …"."""
    return _DEPENDENT_START.match(sentence) is not None or _CONTRASTING.search(sentence) is not None


def is_list_lead(sentence: str, language: str = "en") -> bool:
    """Return whether a sentence leads into a list: it is prose, with a colon at its end."""
    return sentence.endswith(":") and not depends_on_previous(sentence) and is_prose(_with_stop(sentence), language)


def is_list_item(item: str, language: str = "en") -> bool:
    """Return whether a list item can be quoted: three to forty words, no navigation, no code."""
    count = len(words(item))
    return (
        3 <= count <= 40
        and item.isprintable()
        and not _BOILERPLATE.search(item)
        and not _CODE.search(item)
        and _is_balanced(item)
    )


def _with_stop(sentence: str) -> str:
    return sentence[:-1] + "."
