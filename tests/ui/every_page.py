"""Which pages are there to look at? Each with a name for its picture; a path may name ids of the world."""

PAGES: tuple[tuple[str, str], ...] = (
    ("dashboard", "/dashboard"),
    ("logout", "/logout"),
)
"""Pages of somebody logged in."""
