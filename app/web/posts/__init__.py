"""Pages of posts: the document as it grows, and its exports."""
