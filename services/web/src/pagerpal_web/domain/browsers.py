"""Which browser is that? A few words for the owner of a session, who knows their own devices by them."""

_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung browser"), ("Firefox/", "Firefox"),
             ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))  # fmt: skip
"""The first that is in the text holds: nearly each of them also names those after it."""

_SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
            ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip


def browser_of(user_agent: str | None) -> str:
    """`Firefox on Android`; what nothing is known of as it calls itself, cut."""
    given = user_agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in given), "")
    system = next((name for mark, name in _SYSTEMS if mark in given), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or given[:60] or "An unknown browser"
