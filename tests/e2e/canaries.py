"""What do the stories plant that must not come out anywhere? Keys, passwords and phone numbers."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx


@dataclass
class Canaries:
    """What was planted in one deployment, and the bodies of the errors that it answered."""

    planted: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def plant(self, kind: str, secret: str) -> None:
        """Remember something that must not come out anywhere; a phone number counts with and without its plus."""
        self.planted[secret.removeprefix("+")] = kind

    async def note(self, answer: httpx.Response) -> None:
        """An answer came: if it is an error, its body is kept."""
        if answer.is_error:
            self.errors.append((await answer.aread()).decode(errors="replace"))

    def found_in(self, place: str, text: str) -> Iterator[str]:
        """What got out there, in words that do not repeat it."""
        for secret, kind in self.planted.items():
            at = text.find(secret)
            if at >= 0:
                around = text[max(0, at - 80) : at] + f"<{kind}>" + text[at + len(secret) : at + len(secret) + 40]
                yield f"a {kind} in {place}: …{around}…"
