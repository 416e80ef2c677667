"""Finished posts as files: Markdown, HTML, Word. Sources are numbered as on the page."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from app.content.citations import source_numbers
from app.content.urls import web_address
from app.content.values import Post
from app.http.templates import render
from app.markdown.escaping import escape_line_starts, escape_text, write_address, write_heading
from app.markdown.export import write_html as write_section_html
from app.markdown.export import write_markdown as write_section_markdown
from app.markdown.word import write_word


def write_markdown(post: Post, _language: str = "") -> bytes:
    """The post as Markdown: citations as `[1]`, the sources as a numbered list."""
    numbers = source_numbers(post.sources)
    parts = [write_heading(1, _plain(post.title))]
    if post.summary.strip():
        parts.append(f"*{_plain(post.summary)}*")
    for section in post.sections:
        parts.append(write_heading(2, _plain(section.heading)))
        parts.append(write_section_markdown(section.markdown, numbers))
    for missing in post.missing:
        parts += [write_heading(2, _plain(missing.heading)), "*This section could not be written.*"]
    if post.sources:
        parts.append("## Sources")
        parts.append("\n".join(_source(s.number, s.title, s.url) for s in post.sources))
    return ("\n\n".join(parts) + "\n").encode()


def write_html(post: Post, language: str = "") -> bytes:
    """The post as an HTML document that stands alone, in a language if that is known."""
    numbers = source_numbers(post.sources)
    # HTML already: each leaf of the tree has passed the sanitiser.
    bodies = {section.id: Markup(write_section_html(section.markdown, numbers)) for section in post.sections}  # noqa: S704
    return render("posts/export.html", post=post, bodies=bodies, language=language).encode()


def write_docx(post: Post, language: str = "") -> bytes:
    """The post as a Word document."""
    return write_word(post, source_numbers(post.sources), language)


EXPORTS: dict[str, tuple[str, Callable[[Post, str], bytes]]] = {
    "md": ("text/markdown", write_markdown),
    "html": ("text/html", write_html),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", write_docx),
}
"""How each kind of file is written from a post and its language, by its suffix, and its media type."""


def _source(number: int, title: str, url: str) -> str:
    name = _plain(title or url)
    address = write_address(url) if web_address(url) else ""
    return f"{number}. [{name}]({address})" if address else f"{number}. {escape_line_starts(name)}"


def _plain(text: str) -> str:
    return escape_text(" ".join(text.split()))
