"""How much of an address may be shown? Enough for its owner to know it."""


def masked(address: str | None) -> str | None:
    """`+49…4567` or `a…@example.org`; what is too short to hide anything is hidden whole."""
    if address is None:
        return None
    name, at, domain = address.rpartition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    return f"{address[:3]}…{address[-4:]}" if len(address) > 9 else "…"
