"""Markdown of models: one reader, and what is made of its blocks.

A page shows the tree of a text. What brings a page from one length of the text to a later one is the difference of the
two trees; a page that is loaded and one that follows are the same by construction.
"""

from app.markdown.growing import Growing, read
from app.markdown.tree import Node, Patch, Tree, patches, render

__all__ = ["Growing", "Node", "Patch", "Tree", "patches", "read", "render"]
