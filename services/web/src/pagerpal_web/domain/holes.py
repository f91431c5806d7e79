"""What is wrong at a step of an escalation, in words? Pure: the step and the facts it comes from are arguments."""

from pagerpal_common.escalation import Facts, Policy, Step, holes_of

NO_POLICY = "the team has no escalation policy that pages anybody"
NOBODY_PAGED = "nobody is paged"


def holes(policy: Policy, facts: Facts, step: Step) -> tuple[str, ...]:
    """Whom the step would have reached and does not, and why; nothing when everybody it is about can be paged."""
    found = [NO_POLICY] if policy.is_fallback else []
    found += step.notes
    if not step.is_unreached or policy.is_fallback:  # otherwise the notes say it of the level as a whole
        entered = (level for level in policy.levels if level.number == step.entering.level)
        found += [hole for level in entered for hole in holes_of(level, facts)]
    if not step.people:
        found.append(NOBODY_PAGED)
    return tuple(found)
