"""What has to be typed into a monitoring system, for its alerts to come here? Snippets to copy, per source type.

Every one of them is tried by a test (`tests/ui/test_setup.py`): a snippet that does not work is worse than none.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from pagerpal_common.vocabulary import SourceType

PLACEHOLDER = "YOUR_KEY"
"""What stands where the key belongs, on pages that do not know it."""


@dataclass(frozen=True)
class Snippet:
    """Text to copy, and what to do with it."""

    name: str
    """Its id on the page."""
    title: str
    advice: str
    text: str
    is_block: bool = True


@dataclass(frozen=True)
class Place:
    """Where this PagerPal is, and with which key."""

    base: str
    """Its URL, without a slash at its end."""
    key: str

    def at(self, path: str) -> str:
        """The URL of a route of ours."""
        return f"{self.base}{path}"


def own_way(source_type: SourceType, place: Place) -> tuple[Snippet, ...]:
    """How a source of this type is set up."""
    return _OWN[source_type](place)


def other_ways(source_type: SourceType, place: Place) -> tuple[Snippet, ...]:
    """What any source takes beside that: its key is good for every dialect."""
    generic = () if source_type is SourceType.GENERIC else _generic(place)
    return (*generic, *_pagerduty(place))


def _generic(place: Place) -> tuple[Snippet, ...]:
    alert = {
        "title": "Backup of orders-db failed",
        "description": "pg_dump ended with status 1",
        "severity": "critical",
        "external_id": "backup-orders-db",
    }
    over = {**alert, "description": "pg_dump has ended well", "status": "resolved"}
    key = {"X-API-Key": place.key}
    return (
        Snippet(
            "snippet-curl",
            "Send an alert with curl",
            "It pages whoever is on call. The same external_id again is the same incident, however often it comes.",
            _curl(place.at("/api/v1/alerts"), alert, key),
        ),
        Snippet(
            "snippet-curl-resolve",
            "Say that it is over",
            "The incident with this external_id is resolved, and nobody is paged for it any more.",
            _curl(place.at("/api/v1/alerts"), over, key),
        ),
    )


def _grafana(place: Place) -> tuple[Snippet, ...]:
    url = place.at("/api/v1/webhooks/grafana")
    provisioned = f"""\
apiVersion: 1
contactPoints:
  - orgId: 1
    name: PagerPal
    receivers:
      - uid: pagerpal
        type: webhook
        disableResolveMessage: false
        settings:
          url: {_yaml(url)}
          httpMethod: POST
          authorization_scheme: Bearer
          authorization_credentials: {_yaml(place.key)}
"""
    return (
        Snippet(
            "snippet-grafana-url",
            "Contact point: the URL",
            "In Grafana: Alerting, Contact points, Add contact point, with the integration Webhook. Leave the HTTP "
            "method at POST, and do not disable the resolved message.",
            url,
            is_block=False,
        ),
        Snippet(
            "snippet-grafana-key",
            "Contact point: the credentials",
            "Under the optional settings: the scheme of the authorization header is Bearer, and these are its "
            "credentials.",
            place.key,
            is_block=False,
        ),
        Snippet(
            "snippet-grafana",
            "The same as a file",
            "For Grafana's provisioning: a file in provisioning/alerting. Then let your notification policy name "
            "the contact point PagerPal.",
            provisioned,
        ),
    )


def _alertmanager(place: Place) -> tuple[Snippet, ...]:
    receiver = f"""\
receivers:
  - name: pagerpal
    webhook_configs:
      - url: {_yaml(place.at("/api/v1/webhooks/alertmanager"))}
        send_resolved: true
        http_config:
          authorization:
            type: Bearer
            credentials: {_yaml(place.key)}
"""
    return (
        Snippet(
            "snippet-alertmanager",
            "The receiver, in alertmanager.yml",
            "Then let a route name it: receiver: pagerpal. Every alert of a group becomes an incident of its own, "
            "with its labels, and is resolved when Prometheus says so.",
            receiver,
        ),
    )


def _cloudwatch(place: Place) -> tuple[Snippet, ...]:
    url = place.at(f"/api/v1/webhooks/cloudwatch?api_key={quote(place.key, safe='')}")
    subscribe = [
        "aws sns subscribe",
        "--topic-arn arn:aws:sns:eu-west-1:123456789012:alarms",
        f"--protocol {urlsplit(url).scheme}",
        f"--notification-endpoint {shlex.quote(url)}",
    ]
    alarm = [
        "aws cloudwatch put-metric-alarm",
        "--alarm-name prod-api-cpu-high",
        "--namespace AWS/EC2",
        "--metric-name CPUUtilization",
        "--statistic Average",
        "--period 60",
        "--evaluation-periods 3",
        "--comparison-operator GreaterThanThreshold",
        "--threshold 95",
        "--alarm-actions arn:aws:sns:eu-west-1:123456789012:alarms",
        "--ok-actions arn:aws:sns:eu-west-1:123456789012:alarms",
    ]
    return (
        Snippet(
            "snippet-sns-url",
            "The subscription's URL",
            "For an HTTPS subscription of the topic that your alarms notify. The key is in it, so keep it as you "
            "keep a password. PagerPal confirms the subscription by itself.",
            url,
            is_block=False,
        ),
        Snippet(
            "snippet-sns", "Subscribe by the AWS CLI", "With the ARN of your topic.", " \\\n  ".join(subscribe) + "\n"
        ),
        Snippet(
            "snippet-cloudwatch",
            "An alarm that notifies it",
            "Give the topic as the action of ALARM and of OK: without the second nothing resolves the incident.",
            " \\\n  ".join(alarm) + "\n",
        ),
    )


def _pagerduty(place: Place) -> tuple[Snippet, ...]:
    event = {
        "routing_key": place.key,
        "event_action": "trigger",
        "dedup_key": "backup-orders-db",
        "payload": {"summary": "Backup of orders-db failed", "source": "db-1", "severity": "critical"},
    }
    return (
        Snippet(
            "snippet-pagerduty",
            "PagerDuty Events API v2",
            "For what speaks to PagerDuty: give it this URL instead of PagerDuty's, and the key as routing_key "
            "(integration key).",
            _curl(place.at("/v2/enqueue"), event, {}),
        ),
    )


_OWN = {
    SourceType.GENERIC: _generic,
    SourceType.GRAFANA: _grafana,
    SourceType.ALERTMANAGER: _alertmanager,
    SourceType.CLOUDWATCH: _cloudwatch,
}


def _curl(url: str, body: Mapping[str, object], headers: Mapping[str, str]) -> str:
    sent = {**headers, "Content-Type": "application/json"}
    text = json.dumps(body, indent=2).replace("\n", "\n  ")
    lines = [
        f"curl -sS --fail-with-body {shlex.quote(url)}",
        *(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in sent.items()),
        f"-d {shlex.quote(text)}",
    ]
    return " \\\n  ".join(lines) + "\n"


def _yaml(text: str) -> str:
    """A string of JSON is one of YAML."""
    return json.dumps(text)
