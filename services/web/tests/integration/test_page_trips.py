"""How often does a page go to the database? No oftener than this table says, and no oftener with more in it.

Counted and not timed, so that it fails on any machine when somebody asks once per row.
"""

from collections.abc import Mapping

import pytest
from pagerpal_common.testing.rows import Rows
from pagerpal_common.testing.trips import counted
from pagerpal_web.ui import TABLE, live

from .browser import Browser, browse
from .conftest import T0, Web
from .test_every_page_route import a_world, at, named

STATEMENTS: Mapping[str, int] = {
    "/logout": 2,
    "/dashboard": 17,
    "/dashboard/live": 13,
    "/dashboard/watched": 5,
    "/events": 1,
    "/_partials/gstrip": 2,
    "/incidents": 7,
    "/incidents/rows": 5,
    "/incidents/together": 1,
    "/incidents/{incident_id:int}": 15,
    "/incidents/{incident_id:int}/live": 12,
    "/incidents/{incident_id:int}/explain": 12,
    "/incidents/{incident_id:int}/ack": 1,
    "/incidents/{incident_id:int}/resolve": 1,
    "/incidents/{incident_id:int}/reopen": 1,
    "/incidents/{incident_id:int}/escalate": 1,
    "/incidents/{incident_id:int}/notes": 1,
    "/incidents/{incident_id:int}/retry": 1,
    "/on-call": 8,
    "/on-call/calendars": 4,
    "/on-call/calendars/renew": 4,
    "/schedules": 5,
    "/schedules/new": 3,
    "/schedules/{schedule_id:int}": 9,
    "/schedules/{schedule_id:int}/entries/new": 4,
    "/schedules/{schedule_id:int}/entries/{entry_id:int}/remove": 17,
    "/schedules/{schedule_id:int}/cover": 4,
    "/schedules/{schedule_id:int}/rotations/new": 5,
    "/schedules/{schedule_id:int}/rotations/{rotation_id:int}/edit": 6,
    "/schedules/{schedule_id:int}/rotations/{rotation_id:int}/remove": 16,
    "/schedules/{schedule_id:int}/edit": 3,
    "/teams": 5,
    "/teams/{team_id:int}": 12,
    "/users": 6,
    "/users/{user_id:int}": 9,
    "/profile": 15,
    "/escalation-policies": 8,
    "/escalation-policies/{policy_id:int}": 16,
    "/escalation-policies/{policy_id:int}/now": 8,
    "/alert-sources": 6,
    "/alert-sources/{source_id:int}": 8,
    "/alert-sources/{source_id:int}/test": 1,
    "/alert-sources/{source_id:int}/delete": 1,
    "/alert-sources/new": 3,
    "/alert-sources/{source_id:int}/key": 1,
    "/settings": 10,
    "/settings/audit": 4,
}
"""The most that each sends, the look-up of the session included; what only leads elsewhere sends nothing but that."""

TRANSACTIONS: Mapping[str, int] = {"/settings": 4}
"""Of a page that waits for more than the database. Any other has two at most: the session's, and its own."""

LOOKED_AT = [row for row in TABLE if row.method == "GET" and row.allow is not None]

# More of everything that pages show rows of, much of it of the admin's who looks.
MORE = """
INSERT INTO directory.users (name, email, role, phone, timezone, created_at) SELECT 'Person ' || n, 'more' || n
    || '@example.org', 'responder', '+4915110' || lpad(n::text, 6, '0'), 'Europe/Berlin', now() FROM #;
INSERT INTO directory.teams (name, created_at) SELECT 'Team ' || n, now() FROM #;
INSERT INTO directory.team_members (team_id, user_id) SELECT t.id, u.id FROM directory.teams t, directory.users
    u WHERE u.is_active ON CONFLICT DO NOTHING;
INSERT INTO directory.contact_methods (user_id, channel, address, created_at) SELECT 1, 'sms', '+4915120' ||
    lpad(n::text, 6, '0'), now() FROM #;
INSERT INTO directory.notification_rules (user_id, severity, channel, delay_seconds) SELECT 1, 'any', 'sms', n
    FROM #;
INSERT INTO directory.sessions (user_id, token_hash, created_at, last_seen_at, expires_at) SELECT 1,
    decode(md5(n::text), 'hex'), :at, :at, :at + interval '1 day' FROM #;
INSERT INTO directory.calendar_feeds (user_id, schedule_id, secret_hash, created_at) SELECT 1, id,
    decode(md5(id::text), 'hex'), now() FROM directory.schedules ON CONFLICT DO NOTHING;
INSERT INTO directory.schedules (team_id, name, timezone, created_at) SELECT t.id, 'Line ' || n,
    'Europe/Berlin', now() FROM directory.teams t, (SELECT n FROM #) AS numbers;
INSERT INTO directory.schedule_entries (schedule_id, user_id, starts_at, ends_at, is_override, created_at)
    SELECT s.id, 1, :at + n * interval '1 day', :at + n * interval '1 day' + interval '9 hours', true, now()
    FROM directory.schedules s, (SELECT n FROM #) AS numbers;
INSERT INTO directory.schedule_rotations (schedule_id, name, kind, length, handoff_at, restrictions, priority)
    SELECT s.id, 'Weeks ' || n, 'weekly', 1, timestamp '2026-01-05 09:00', '[]', n FROM directory.schedules s,
    (SELECT n FROM #) AS numbers;
INSERT INTO directory.rotation_people SELECT r.id, u.place, u.id FROM directory.schedule_rotations r, (SELECT
    id, row_number() OVER (ORDER BY id) + 9 AS place FROM directory.users WHERE is_active) AS u ON CONFLICT DO
    NOTHING;
INSERT INTO directory.escalation_policies (team_id, name, repeat_count, is_default, reminder_minutes,
    created_at) SELECT t.id, 'Policy ' || n, 1, false, 30, now() FROM directory.teams t, (SELECT n FROM #)
    AS numbers;
INSERT INTO directory.escalation_levels (policy_id, level_number, timeout_minutes) SELECT p.id, 10 + n, 5 FROM
    directory.escalation_policies p, (SELECT n FROM #) AS numbers;
INSERT INTO directory.escalation_assignees (level_id, assignee_type, schedule_id) SELECT l.id, 'schedule', s.id
    FROM directory.escalation_levels l JOIN directory.escalation_policies p ON p.id = l.policy_id JOIN
    directory.schedules s ON s.team_id = p.team_id ON CONFLICT DO NOTHING;
INSERT INTO directory.alert_sources (team_id, name, source_type, key_hash, key_first8, key_last4, created_at)
    SELECT t.id, 'Source ' || n, 'generic', decode(md5(t.id || '-' || n), 'hex'), 'pp_xxxxx', 'xxxx', now() FROM
    directory.teams t, (SELECT n FROM #) AS numbers;
INSERT INTO directory.audit_events (created_at, action, actor_user_id, target_kind, target_id, data) SELECT :at,
    'user.updated', id, 'user', id, '{}' FROM directory.users;
INSERT INTO incidents.incidents (title, description, severity, external_id, source_id, team_id, status,
    current_escalation_level, escalation_id, escalation_pass, escalation_reminder, level_entered_at,
    notification_count, created_at, alert_count, last_alert_at, links, labels, is_unreached, assigned_user_id)
    SELECT 'Incident ' || s.id, 'It is slow', 'critical', 'x' || s.id, s.id, s.team_id, 'triggered', 1, 1000 +
    s.id, 1, 0, :at, 1, :at, 1, :at, '[]', '{}', false, 1 FROM directory.alert_sources s ON CONFLICT DO NOTHING;
INSERT INTO escalation.escalations (escalation_id, incident_id, team_id, policy, state, pass_number, level,
    reminder, due_at, started_at) SELECT i.escalation_id, i.id, i.team_id, jsonb_build_object('policy_id', 1,
    'name', 'Policy', 'repeat_count', 1, 'reminder', 'PT30M', 'ack_timeout', NULL, 'levels', (SELECT
    jsonb_agg(jsonb_build_object('number', place, 'timeout', 'PT5M', 'assignees',
    jsonb_build_array(jsonb_build_object('schedule_id', id))) ORDER BY place) FROM (SELECT id, row_number() OVER
    (ORDER BY id) AS place FROM directory.schedules LIMIT 20) AS s)), 'waiting', 1, 1, 0, :at, :at FROM
    incidents.incidents i ON CONFLICT (escalation_id) DO UPDATE SET policy = EXCLUDED.policy;
INSERT INTO incidents.events (incident_id, event_type, message, actor_user_id, created_at, data) SELECT i.id,
    kind, 'user ' || u.id || ' is not active', u.id, :at, '{}' FROM incidents.incidents i, directory.users u,
    unnest(ARRAY['note', 'level_skipped']) AS kind;
INSERT INTO incidents.page_requests (incident_id, escalation_id, pass_number, level, reminder, user_id, reason,
    requested_at, is_open) SELECT i.id, i.escalation_id, 1, 1, 0, u.id, '["policy, level 1"]', :at, true FROM
    incidents.incidents i, directory.users u ON CONFLICT DO NOTHING;
INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, step,
    pass_number, level, reason, status, address, attempts, created_at, sent_at) SELECT r.id, r.incident_id,
    r.escalation_id, r.user_id, 'sms', 0, 1, 1, r.reason, 'sent', '+491511000', 1, :at, :at FROM
    incidents.page_requests r ON CONFLICT DO NOTHING;
"""
"""`#` is one row for each of the numbers that are added."""


@pytest.fixture(autouse=True)
def _a_short_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one page that does not end by itself ends at once."""
    monkeypatch.setattr(live, "STREAM_SECONDS", 0.0)


async def fill(rows: Rows, first: int, last: int) -> None:
    numbers = "generate_series(CAST(:first AS int), CAST(:last AS int)) n"
    values = {"first": first, "last": last, "at": T0}
    for statement in filter(None, map(str.strip, MORE.split(";"))):
        query = statement.replace("#", numbers).replace(":at", "CAST(:at AS timestamptz)")
        await rows(query, **{name: value for name, value in values.items() if f":{name}" in query})


async def asked(browser: Browser, world: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """How many statements each page sends, and in how many transactions."""
    found = {}
    for row in LOOKED_AT:
        with counted() as trips:
            response = await browser.get(at(row, dict(world)), **{"hx-request": "true"})
        assert response.status_code in {200, 303}, named(row)
        found[row.path] = (len(trips.statements), trips.transactions)
    return found


async def test_a_page_asks_the_database_no_oftener_than_the_table_says_however_much_there_is(
    web: Web, rows: Rows
) -> None:
    world = await a_world(web, rows)
    browser = await browse(web)
    await fill(rows, 1, 2)
    with_some = await asked(browser, world)
    await fill(rows, 3, 6)

    with_more = await asked(browser, world)

    assert {path: found for path, found in with_more.items() if found != with_some[path]} == {}
    assert {path: statements for path, (statements, _) in with_more.items() if statements > STATEMENTS[path]} == {}
    assert {path: found for path, (_, found) in with_more.items() if found > TRANSACTIONS.get(path, 2)} == {}


def test_the_table_is_of_the_pages_that_there_are() -> None:
    assert STATEMENTS.keys() == {row.path for row in LOOKED_AT}
