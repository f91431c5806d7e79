"""Which providers may be called just now, and for how many messages? Asked in the transaction of each claim.

A provider in trouble is left alone: what is due by it is put off, at the cost of none of its tries, and its people are
reached another way. When its pause is over, one notification is let through.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from pagerpal_common.vocabulary import Channel, CircuitState
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.circuit import LOOK_AGAIN, Circuit, after_probe, held_because, is_probe_due
from pagerpal_notifier.domain.limits import LIMITS
from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.storage.circuits import go_around, hold_due, lock_circuits, pick_probe, save_circuit
from pagerpal_notifier.storage.rations import Ration, refill, spend

log = structlog.get_logger(__name__)

HELD_AT_ONCE = 500
"""Notifications that one claim puts off. The rest is for the next."""

RATION_SECONDS = 0.1
"""When to look again after a provider has had all that it takes for the moment."""

AROUND: Mapping[Channel, str] = {
    Channel.SMS: "last resort: SMS, as the provider of every other way is in trouble",
    Channel.VOICE: "last resort: call, as the provider of every other way is in trouble",
    Channel.EMAIL: "last resort: mail, as the provider of every other way is in trouble",
}


@dataclass(frozen=True)
class Part:
    """One claim: so many messages at most, over all channels that are not shut."""

    room: int
    shut: Sequence[Channel] = ()


@dataclass(frozen=True)
class Gate:
    """What may be claimed, in this order, and all together no more than there is room."""

    parts: Sequence[Part] = ()
    probing: tuple[str, Circuit] | None = None
    """The provider that one message is to go to, to see how it does, and how its circuit was before; all others wait
    for the next claim."""
    is_rationed: bool = False
    """There is more than may be sent now."""


async def ask(ctx: Context, tx: AsyncConnection, *, room: int, now: datetime) -> Gate:
    """What may be claimed now, at most `room`; what may not, because of its provider, is put off."""
    rates = {name: ctx.rates[name] for name in sorted(_channels(ctx)) if name in ctx.rates}
    if not rates:
        return Gate([Part(room)])
    rations = await refill(tx, rates, now=now)
    if not rations:
        return Gate()
    circuits = await _troubled(tx, rations)
    for name, circuit in circuits.items():
        probing = _channels(ctx)[name]
        if rations[name].messages and is_probe_due(circuit, now) and await pick_probe(tx, name, probing, now=now):
            await save_circuit(tx, name, after_probe(circuit, now=now))
            return Gate([Part(1, _all_but(ctx, probing))], (name, circuit))
    if circuits:
        await _hold(ctx, tx, [channel for name in circuits for channel in _channels(ctx)[name]], now)
    return _share(ctx, rations, circuits, room)


async def settle(ctx: Context, tx: AsyncConnection, gate: Gate, claims: Sequence[Claim]) -> None:
    """Write down what has been claimed, in the same transaction."""
    # Notifications that go out in one message are one.
    named = {claim.attempt_id: ctx.providers[claim.channel].name for claim in claims}
    spent = {name: number for name, number in sorted(Counter(named.values()).items()) if name in ctx.rates}
    if spent:
        await spend(tx, spent)
    if gate.probing is not None and not claims:  # nobody wanted it any more
        name, before = gate.probing
        await save_circuit(tx, name, before)


def look_again(ctx: Context, gate: Gate, claims: Sequence[Claim]) -> None:
    """Ring for what is to be claimed soon, and say what has gone out to see; once it is committed."""
    if gate.probing is not None:
        for claim in claims:
            log.info("circuit.probing", provider=gate.probing[0], notification_id=claim.notification_id)
        ctx.send_bell.ring()
    elif gate.is_rationed:
        asyncio.get_running_loop().call_later(RATION_SECONDS, ctx.send_bell.ring)


def _channels(ctx: Context) -> dict[str, list[Channel]]:
    """The channels of each provider."""
    found: dict[str, list[Channel]] = {}
    for channel, provider in ctx.providers.items():
        found.setdefault(provider.name, []).append(channel)
    return found


async def _troubled(tx: AsyncConnection, rations: Mapping[str, Ration]) -> dict[str, Circuit]:
    """The circuits that are not closed, held until the transaction ends: none closes while its pages are put off."""
    names = [name for name, ration in rations.items() if ration.is_troubled and LIMITS[name].has_circuit]
    locked = await lock_circuits(tx, (), troubled=names)
    return {name: circuit for name, circuit in locked.items() if circuit.state is not CircuitState.CLOSED}


async def _hold(ctx: Context, tx: AsyncConnection, shut: Sequence[Channel], now: datetime) -> None:
    names = {channel: ctx.providers[channel].name for channel in shut}
    whys = {channel: held_because(name) for channel, name in names.items()}
    held = await hold_due(tx, names, whys, now=now, until=now + LOOK_AGAIN, limit=HELD_AT_ONCE)
    if held:
        around = await go_around(tx, held, shut, AROUND, now=now)
        log.warning("send.held_back", providers=sorted({*names.values()}), notifications=len(held), other_ways=around)


def _share(ctx: Context, rations: Mapping[str, Ration], circuits: Mapping[str, Circuit], room: int) -> Gate:
    """Claims that are sure to give no provider more than there is for it: one of all that have enough for the whole
    room, and one of each that has less. As a rule all have enough."""
    left = {name: ration.messages for name, ration in rations.items() if name not in circuits}
    short = {name: messages for name, messages in left.items() if messages < room}
    closed = {*circuits, *short}
    parts = [Part(messages, _all_but(ctx, _channels(ctx)[name])) for name, messages in short.items() if messages >= 1]
    shut = [channel for channel, provider in ctx.providers.items() if provider.name in closed]
    if len(shut) < len(ctx.providers):
        parts.append(Part(room, shut))
    return Gate(parts, is_rationed=any(messages < 1 for messages in short.values()))


def _all_but(ctx: Context, channels: Sequence[Channel]) -> list[Channel]:
    return [channel for channel in ctx.providers if channel not in channels]
