"""Contact methods and rules, as web writes them, and a webhook that keeps what it is given."""

from dataclasses import replace

from pagerpal_common.vocabulary import Channel
from pagerpal_notifier.channels import Provider
from pagerpal_notifier.domain.delivery import Outcome, Verdict
from pagerpal_notifier.domain.page import Claim

from services.notifier.tests.integration.world import World

HOOK = "https://hooks.example.com/services/T0/B0/secret-word"
SECOND_PHONE = "+436647654321"


class Hook:
    """Takes pages of the webhook channel, or does what it is told."""

    def __init__(self) -> None:
        self.claims: list[Claim] = []
        self.verdict = Verdict.ACCEPTED

    async def send(self, claim: Claim) -> Outcome:
        self.claims.append(claim)
        return Outcome(self.verdict, f"the hook says {self.verdict}")

    def serve(self, world: World) -> None:
        """Let this world's notifier send its webhooks here."""
        world.ctx = replace(world.ctx, providers={**world.ctx.providers, Channel.WEBHOOK: Provider("hook", self.send)})


async def given_method(
    world: World,
    user_id: int,
    *,
    channel: str = "webhook",
    address: str = HOOK,
    secret: str | None = "secret-word",
    is_proven: bool = True,
) -> int:
    (row,) = await world.rows(
        "INSERT INTO directory.contact_methods (user_id, channel, address, signing_secret, created_at)"
        " VALUES (:user_id, :channel, :address, :secret, :now) RETURNING id",
        user_id=user_id,
        channel=channel,
        address=address,
        secret=secret,
        now=world.clock(),
    )
    if is_proven:
        await prove(world, row["id"])
    return int(row["id"])


async def prove(world: World, method_id: int) -> None:
    """Its address as it is now is its person's."""
    await world.rows(
        "INSERT INTO directory.contact_proofs SELECT user_id, id, address, created_at FROM directory.contact_methods"
        " WHERE id = :id ON CONFLICT (user_id, method_id) DO UPDATE SET address = excluded.address",
        id=method_id,
    )


async def given_rule(
    world: World,
    user_id: int,
    *,
    method_id: int | None = None,
    channel: str | None = None,
    severity: str = "any",
    seconds: int = 0,
) -> int:
    (row,) = await world.rows(
        "INSERT INTO directory.notification_rules (user_id, severity, contact_method_id, channel, delay_seconds)"
        " VALUES (:user_id, :severity, :method_id, :channel, :seconds) RETURNING id",
        user_id=user_id,
        severity=severity,
        method_id=method_id,
        channel=channel,
        seconds=seconds,
    )
    return int(row["id"])
