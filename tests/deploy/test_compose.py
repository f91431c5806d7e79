"""Is the compose file what Docker Compose takes, and does it agree with the code? Read by the real program."""

import json
import re
import stat
import sys
from pathlib import Path

import pytest
from pagerpal_common.bus.rabbit_permissions import services
from pagerpal_standalone.settings import MODELS

from tests.deploy.image import instructions
from tests.deploy.test_manifests import OURS, SETTINGS, longest_stop
from tests.deploy.tools import DEPLOY, ROOT, Object, as_objects, compose, prometheus, run

ONE_SHOT = {"secrets", "migrate"}
EVERY_PROFILE = ("demo", "cluster", "observability")


@pytest.mark.parametrize("profiles", [(), ("demo",), ("cluster",), ("observability",), EVERY_PROFILE], ids="+".join)
def test_docker_compose_takes_it_with_every_profile(profiles: tuple[str, ...]) -> None:
    found = compose(*profiles)["services"]

    assert {"postgres", "rabbitmq", "edge", *OURS, *ONE_SHOT} <= set(found)
    assert ("demo" in found) == ("demo" in profiles)
    assert ({"rabbitmq-2", "rabbitmq-3"} <= set(found)) == ("cluster" in profiles)
    assert ({"prometheus", "grafana"} <= set(found)) == ("observability" in profiles)


def wholly() -> Object:
    return dict(compose(*EVERY_PROFILE)["services"])


def test_services_can_be_scaled() -> None:
    for name in OURS:
        one = wholly()[name]
        assert "container_name" not in one
        assert "ports" not in one
        assert set(one["networks"]) == {"default"}
        assert not (one["networks"]["default"] or {}).get("ipv4_address")


def test_everything_starts_after_what_it_needs_and_comes_back() -> None:
    for name in OURS:
        waits = {other: how["condition"] for other, how in wholly()[name]["depends_on"].items()}
        assert waits["migrate"] == "service_completed_successfully"
        assert waits["postgres"] == waits["rabbitmq"] == waits["rabbitmq-2"] == "service_healthy"
        assert wholly()[name]["depends_on"]["rabbitmq-2"]["required"] is False
    for name, one in wholly().items():
        if name not in ONE_SHOT | {"demo"}:
            assert one["restart"] == "unless-stopped", name
            assert one["healthcheck"]["test"], name
        else:
            assert one["healthcheck"] == {"disable": True}, name


def test_a_service_is_told_only_what_it_reads_and_gets_its_secrets_as_files_of_its_own() -> None:
    for name in OURS:
        one = wholly()[name]
        told = {key.removesuffix("_FILE") for key in one["environment"]}
        assert told <= {field.alias for field in SETTINGS[name].model_fields.values()}
        mounts = {mount["target"]: mount for mount in one["volumes"]}
        assert mounts["/run/secrets/pagerpal"]["source"] == f"for-{name}"
        assert mounts["/run/secrets/pagerpal"]["read_only"] is True
    assert set(OURS) == set(services())


def test_services_run_with_as_little_as_they_can_and_get_the_time_to_stop() -> None:
    for name in (*OURS, "migrate", "secrets", "demo", "edge", "prometheus", "grafana"):
        one = wholly()[name]
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert one["security_opt"] == ["no-new-privileges:true"]
    for name in OURS:
        (seconds,) = re.fullmatch(r"(\d+)s", wholly()[name]["stop_grace_period"]).groups()  # type: ignore[union-attr]
        assert int(seconds) >= longest_stop()


def test_only_the_edge_listens_and_who_watches_and_on_this_machine_alone() -> None:
    published = {
        name: [(port["host_ip"], port["published"], port["target"]) for port in one["ports"]]
        for name, one in wholly().items()
        if one.get("ports")
    }

    assert published == {
        "edge": [("127.0.0.1", "8000", 8000)],
        "prometheus": [("127.0.0.1", "9090", 9090)],
        "grafana": [("127.0.0.1", "3000", 3000)],
    }
    edge = wholly()["edge"]["networks"]["default"]["ipv4_address"]
    assert {wholly()[name]["environment"]["PAGERPAL_TRUSTED_PROXIES"] for name in OURS} == {edge}


def test_grafana_lets_nobody_in_without_a_password_that_was_made_here() -> None:
    grafana = wholly()["grafana"]
    environment, mounts = grafana["environment"], {mount["target"]: mount for mount in grafana["volumes"]}

    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == environment["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert environment["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/pagerpal/password"
    assert "GF_SECURITY_ADMIN_PASSWORD" not in environment
    assert mounts["/run/secrets/pagerpal"]["source"] == "for-grafana"
    assert mounts["/run/secrets/pagerpal"]["read_only"] is True
    (source,) = as_objects((DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text())[0]["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = as_objects((DEPLOY / "grafana/provisioning/dashboards/pagerpal.yaml").read_text())[0]["providers"]
    assert provider["options"]["path"] in mounts


def test_prometheus_asks_every_service_where_it_tells_its_metrics_and_every_node_of_the_broker(tmp_path: Path) -> None:
    jobs = {one["job_name"]: one["dns_sd_configs"][0] for one in prometheus()["scrape_configs"]}

    assert set(jobs["pagerpal"]["names"]) == set(OURS)
    ports = {wholly()[name]["environment"]["PAGERPAL_METRICS_PORT"] for name in OURS}
    assert ports == {str(jobs["pagerpal"]["port"])}
    assert set(jobs["pagerpal-broker"]["names"]) == {name for name in wholly() if name.startswith("rabbitmq")}
    assert (DEPLOY / "rabbitmq" / "enabled_plugins").read_text() == "[rabbitmq_prometheus].\n"
    mounted = tmp_path / "prometheus.yml"
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    mounted.write_text(text.replace("/etc/prometheus/", f"{DEPLOY}/prometheus/"))
    assert "1 rule files found" in run("promtool", "check", "config", mounted)


def test_every_file_that_is_mounted_or_copied_is_there() -> None:
    for one in wholly().values():
        for mount in one.get("volumes", []):
            if mount["type"] == "bind":
                assert Path(mount["source"]).exists(), mount
    ignored = (ROOT / ".dockerignore").read_text()
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            source = rest.split()[0]
            assert (ROOT / source).exists()
            assert f"!{source}\n" in ignored + "\n"


def test_the_names_in_the_example_are_those_that_are_read() -> None:
    example = set(re.findall(r"^#?([A-Z_]+)=", (DEPLOY / ".env.example").read_text(), re.MULTILINE))
    text = (DEPLOY / "docker-compose.yml").read_text()

    assert example <= set(re.findall(r"\$\{([A-Z_]+)", text))
    assert {field.alias for model in MODELS for field in model.model_fields.values()} & example


def test_secrets_are_made_once_and_each_is_in_its_owners_place_alone(tmp_path: Path) -> None:
    def prepare() -> dict[str, str]:
        command = (sys.executable, DEPLOY / "compose" / "prepare.py", "secrets")
        run(*command, environ={"PAGERPAL_SECRETS_DIR": str(tmp_path)})
        return {str(file.relative_to(tmp_path)): file.read_text() for file in tmp_path.rglob("*") if file.is_file()}

    first, second = prepare(), prepare()

    changed = {name for name in first if first[name] != second[name]}
    assert changed <= {"rabbitmq/definitions.json"}  # salted anew
    assert set(first) == set(second)
    passwords = json.loads(first["migrate/logins.json"])
    assert len(set(passwords.values())) == len(OURS)
    for service, password in passwords.items():
        holders = {name.split("/")[0] for name, text in first.items() if password in text}
        assert holders == {"migrate", service}
    assert first["web/secret-key"] == first["notifier/secret-key"]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o444 for file in tmp_path.rglob("*") if file.is_file())
    assert not any(first["postgres/password"] in text for name, text in first.items() if name.startswith("rabbitmq"))
