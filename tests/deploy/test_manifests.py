"""Are the Kubernetes manifests what a cluster takes, and do they agree with the code? Everything is rendered first."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pagerpal_common import service as service_module
from pagerpal_common.bus import lane, rabbit_consumer, rabbit_link, rabbit_publisher
from pagerpal_common.bus.rabbit_permissions import VHOST, permissions, services
from pagerpal_common.bus.rabbit_topology import Names
from pagerpal_common.config import Settings
from pagerpal_common.contracts.incidents import PageRequested
from pagerpal_common.db import connect
from pagerpal_common.migrations.grants import role_of
from pagerpal_standalone.edge import TO_INGEST
from pagerpal_standalone.settings import MODELS

from tests.deploy.tools import (
    BIN,
    DEPLOY,
    HERE,
    KUBERNETES,
    NODE_MODULES,
    Object,
    named,
    objects,
    of_kind,
    prometheus,
    rendered,
    run,
)

OLDEST, NEWEST = "1.33", "1.37"
"""The Kubernetes versions that the manifests are held to; matchLabelKeys, `sleep` and the rest are in all between."""

OVERLAYS = [KUBERNETES / "base", *sorted((KUBERNETES / "overlays").iterdir())]
PRODUCTION = KUBERNETES / "overlays" / "production"
COMPONENTS = sorted((KUBERNETES / "components").iterdir())
OURS = ("ingest", "incidents", "escalator", "notifier", "web")
SETTINGS = dict(zip(("web", "ingest", "incidents", "escalator", "notifier"), MODELS, strict=True))
OF_OPERATORS = re.compile(
    r"^(?:keda\.sh|monitoring\.coreos\.com|postgresql\.cnpg\.io|gateway\.networking\.k8s\.io|external-secrets\.io)/"
)

POOL = 10
GRACEFUL_HTTP_SECONDS = 5


@pytest.fixture(params=COMPONENTS, ids=lambda path: path.name)
def with_component(request: pytest.FixtureRequest, tmp_path: Path) -> list[Object]:
    """The base with one component only."""
    (tmp_path / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        f"resources: [{relative(tmp_path, KUBERNETES / 'base')}]\n"
        f"components: [{relative(tmp_path, request.param)}]\n"
    )
    return objects(tmp_path)


def relative(start: Path, target: Path) -> str:
    """kustomize takes no absolute paths."""
    return str(Path(*[".."] * (len(start.resolve().parts) - 1), *target.resolve().parts[1:]))


def validate(text: str, version: str, tmp_path: Path) -> set[str]:
    """The API versions that Kubernetes' own schemas do not know; what they know is valid."""
    file = tmp_path / "rendered.yaml"
    file.write_text(text)
    said = run("sh", "-c", f"'{BIN}/kubernetes-validate' -k {version} --strict '{file}' 2>&1")
    return set(re.findall(r"Couldn't find schema for kind \S+ with api version (\S+)", said))


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_every_overlay_is_valid_for_the_oldest_and_the_newest_kubernetes(
    overlay: Path, version: str, tmp_path: Path
) -> None:
    unknown = validate(rendered(overlay), version, tmp_path)

    assert all(OF_OPERATORS.match(one) or one == "rabbitmq.com/v1beta1" for one in unknown), unknown


def test_a_misspelt_field_is_found(tmp_path: Path) -> None:
    text = rendered(KUBERNETES / "base").replace("readOnlyRootFilesystem", "readonlyRootFilesystem")

    with pytest.raises(AssertionError, match="readonlyRootFilesystem"):
        validate(text, NEWEST, tmp_path)


def test_each_component_goes_with_the_base_alone(with_component: list[Object]) -> None:
    assert {one["metadata"]["name"] for one in of_kind(with_component, "Deployment")} == set(OURS)


def custom_resource_problems(found: list[Object]) -> str:
    theirs = [one for one in found if OF_OPERATORS.match(one["apiVersion"])]
    assert theirs
    script = HERE / "custom_resources" / "check_custom_resources.mjs"
    return run("node", script, NODE_MODULES, given=json.dumps(theirs))


def test_custom_resources_are_what_their_operators_schemas_say() -> None:
    assert custom_resource_problems(objects(PRODUCTION)) == ""

    broken = json.loads(json.dumps(objects(PRODUCTION)).replace("minReplicaCount", "minReplicaCuont"))
    assert "spec.minReplicaCuont: no such field" in custom_resource_problems(broken)
    broken = json.loads(json.dumps(objects(PRODUCTION)).replace("podMetricsEndpoints", "podMetricEndpoints"))
    assert "spec.podMetricEndpoints: no such field" in custom_resource_problems(broken)
    broken = json.loads(json.dumps(objects(PRODUCTION)).replace('"triggers"', '"trigger"'))
    assert "must have required property 'triggers'" in custom_resource_problems(broken).replace(
        " triggers", " 'triggers'"
    )


def test_resources_of_rabbitmqs_operators_have_only_fields_that_are_there() -> None:
    schema = Draft202012Validator(json.loads((HERE / "custom_resources" / "rabbitmq.json").read_text()))
    found = [one for one in objects(PRODUCTION) if one["apiVersion"].startswith("rabbitmq.com/")]

    assert len(found) >= 1 + 1 + 3 * len(OURS)
    for one in found:
        schema.validate(one)


def test_every_services_login_on_the_broker_has_the_rights_of_the_code() -> None:
    found, names = objects(PRODUCTION), Names()

    assert named(found, "Vhost", "pagerpal")["spec"]["name"] == VHOST
    for service in services():
        may = permissions(service, names)
        assert named(found, "Permission", service)["spec"]["permissions"] == {
            "configure": may.configure,
            "write": may.write,
            "read": may.read,
        }
        assert named(found, "TopicPermission", service)["spec"]["permissions"] == {
            "exchange": names.exchange,
            "write": may.topics_written,
            "read": may.topics_read,
        }


def test_every_services_login_in_the_database_is_in_its_role_alone() -> None:
    cluster = named(objects(PRODUCTION), "Cluster", "pagerpal-db")["spec"]

    logins = {role["name"]: role.get("inRoles", []) for role in cluster["managed"]["roles"]}
    assert logins == {**{service: [role_of(service)] for service in OURS}, "keda": []}
    granted = cluster["bootstrap"]["initdb"]["postInitApplicationSQL"]
    assert {f"GRANT {role_of(service)} TO migrate WITH ADMIN OPTION" for service in OURS} <= set(granted)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
@pytest.mark.parametrize("service", OURS)
def test_a_service_is_told_only_what_it_reads_and_everything_that_it_needs(overlay: Path, service: str) -> None:
    found = objects(overlay)
    pod = named(found, "Deployment", service)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (config,) = container["envFrom"]
    shared = named(found, "ConfigMap", config["configMapRef"]["name"])["data"]
    own = {one["name"].removesuffix("_FILE") for one in container["env"]}

    known = {field.alias for field in SETTINGS[service].model_fields.values()}
    anybodys = {field.alias for model in MODELS for field in model.model_fields.values()}
    assert own <= known
    assert set(shared) <= anybodys
    needed = {"PAGERPAL_DATABASE_URL", "PAGERPAL_AMQP_URL"}
    if shared["PAGERPAL_ENV"] == "production":
        needed |= {"ingest": {"INFOBIP_RECEIPT_TOKEN"}, "web": {"PAGERPAL_SECRET_KEY"}}.get(service, set())
    assert needed <= own
    assert container["args"] == [f"pagerpal_{service}"]


def test_every_secret_that_is_mounted_has_the_keys_that_are_read() -> None:
    found = objects(PRODUCTION)
    given = {
        one["metadata"]["name"]: set(one["spec"]["target"]["template"]["data"])
        for one in of_kind(found, "ExternalSecret")
    }

    for one in of_kind(found, "Deployment", "Job"):
        pod = one["spec"]["template"]["spec"]
        (secret,) = (volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume)
        read = {Path(env["value"]).name for env in pod["containers"][0]["env"] if env["name"].endswith("_FILE")}
        assert read <= given[secret], secret
    for auth in of_kind(found, "TriggerAuthentication"):
        for reference in auth["spec"]["secretTargetRef"]:
            assert reference["key"] in given[reference["name"]]
    assert not of_kind(found, "Secret")


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_pods_run_with_as_little_as_they_can(overlay: Path) -> None:
    for one in of_kind(objects(overlay), "Deployment", "Job"):
        pod = one["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert set(container["resources"]["limits"]) == {"memory"}
        if one["metadata"]["labels"].get("app.kubernetes.io/part-of") == "pagerpal":
            assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


def test_liveness_asks_neither_broker_nor_database_and_readiness_gates_a_roll_out() -> None:
    for service in OURS:
        deployment = named(objects(PRODUCTION), "Deployment", service)["spec"]
        container = deployment["template"]["spec"]["containers"][0]
        assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
        assert container["startupProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
        assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
        assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def longest_stop() -> float:
    """How long a service takes at worst from SIGTERM to its end: each step has a bound, and they follow each other."""
    return (
        GRACEFUL_HTTP_SECONDS
        + service_module.DRAIN_SECONDS
        + rabbit_consumer.CANCEL_SECONDS
        + lane.STOP_SECONDS
        + rabbit_publisher.LAST_REPLIES_SECONDS
        + rabbit_link.CLOSE_SECONDS
    )


def test_a_pod_is_given_the_time_that_its_service_may_need_to_stop() -> None:
    for service in OURS:
        pod = named(objects(PRODUCTION), "Deployment", service)["spec"]["template"]["spec"]
        hook = pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert (hook > 0) == (service in {"ingest", "web"})  # those that somebody routes to
        assert pod["terminationGracePeriodSeconds"] >= hook + longest_stop()


def test_every_selector_finds_the_pods_that_it_means() -> None:
    found = objects(PRODUCTION)
    pods = {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"]
        for one in of_kind(found, "Deployment", "Job")
    }

    def selected(selector: dict[str, str]) -> set[str]:
        return {name for name, labels in pods.items() if selector.items() <= labels.items()}

    for service in OURS:
        assert selected(named(found, "PodDisruptionBudget", service)["spec"]["selector"]["matchLabels"]) == {service}
    for one in of_kind(found, "Service"):
        assert selected(one["spec"]["selector"]) == {one["metadata"]["name"]}
    assert selected(named(found, "NetworkPolicy", "default-deny")["spec"]["podSelector"]["matchLabels"]) == set(pods)
    for policy in of_kind(found, "NetworkPolicy"):
        for expression in policy["spec"]["podSelector"].get("matchExpressions", []):
            assert set(expression["values"]) <= set(OURS)


def test_whoever_scales_a_deployment_is_alone_in_that() -> None:
    found = objects(PRODUCTION)
    scaled = {
        one["spec"]["scaleTargetRef"]["name"] for one in of_kind(found, "HorizontalPodAutoscaler", "ScaledObject")
    }

    assert scaled == {"ingest", "web", "notifier"}
    for service in OURS:
        assert ("replicas" in named(found, "Deployment", service)["spec"]) == (service not in scaled)


def test_the_connections_of_all_replicas_fit_into_the_database() -> None:
    found = objects(PRODUCTION)
    limits = {
        one["spec"]["scaleTargetRef"]["name"]: one["spec"].get("maxReplicas") or one["spec"]["maxReplicaCount"]
        for one in of_kind(found, "HorizontalPodAutoscaler", "ScaledObject")
    }
    replicas = [limits.get(name) or named(found, "Deployment", name)["spec"]["replicas"] for name in OURS]
    with_surge = sum(count + -(-count // 4) for count in replicas)

    size = connect("postgresql://nowhere/", role=None)._engine.pool.size()  # type: ignore[attr-defined]
    most = named(found, "Cluster", "pagerpal-db")["spec"]["postgresql"]["parameters"]["max_connections"]
    assert size == POOL
    assert with_surge * POOL + 20 <= int(most)


def test_the_notifier_is_scaled_on_its_own_queue() -> None:
    rabbitmq, postgresql = named(objects(PRODUCTION), "ScaledObject", "notifier")["spec"]["triggers"]

    assert rabbitmq["metadata"]["queueName"] == Names().queue("notifier", PageRequested)
    assert rabbitmq["metadata"]["vhostName"] == VHOST
    assert postgresql["type"] == "postgresql"


ROUTES = {
    "/api/v1/alerts": "ingest",
    "/api/v1/alerts/1": "ingest",
    "/api/v1/alert-sources": "web",
    "/api/v1/webhooks/grafana": "ingest",
    "/api/v1/notifications/infobip/receipts": "ingest",
    "/v2/enqueue": "ingest",
    "/": "web",
    "/events": "web",
    "/api/v1/incidents": "web",
}


def test_the_gateway_and_the_ingress_split_paths_as_the_development_edge_does(tmp_path: Path) -> None:
    route = named(objects(PRODUCTION), "HTTPRoute", "pagerpal")["spec"]
    rules = [
        (match["path"]["type"], match["path"]["value"], rule["backendRefs"][0]["name"])
        for rule in route["rules"]
        for match in rule["matches"]
    ]
    dev = named(objects(KUBERNETES / "overlays" / "dev"), "Ingress", "pagerpal")["spec"]["rules"][0]["http"]["paths"]
    of_ingress = [(one["pathType"], one["path"], one["backend"]["service"]["name"]) for one in dev]

    for found in (rules, of_ingress):
        assert {path for _, path, service in found if service == "ingest"} == {"/" + "/".join(one) for one in TO_INGEST}
        for path, expected in ROUTES.items():
            assert routed(path, found) == expected, path


def routed(path: str, rules: list[tuple[str, str, str]]) -> str:
    """Gateway API and Ingress alike: an exact path before a prefix, a longer prefix before a shorter, by elements."""
    fitting = [
        (kind == "Exact", len(prefix), service)
        for kind, prefix, service in rules
        if path == prefix or (kind != "Exact" and (path + "/").startswith(prefix.rstrip("/") + "/"))
    ]
    return max(fitting)[2]


def test_the_migrations_job_carries_the_version_of_the_image() -> None:
    found = objects(KUBERNETES / "base")
    (job,) = of_kind(found, "Job")
    image = job["spec"]["template"]["spec"]["containers"][0]["image"]

    assert job["metadata"]["name"] == f"migrate-{image.rpartition(':')[2]}"
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["pagerpal_common.migrations"]
    assert {one["spec"]["template"]["spec"]["containers"][0]["image"] for one in of_kind(found, "Deployment")} == {
        image
    }


def test_metrics_are_where_prometheus_looks_and_it_alone_is_let_in() -> None:
    found = objects(PRODUCTION)
    monitor = named(found, "PodMonitor", "pagerpal")["spec"]
    policy = named(found, "NetworkPolicy", "metrics")["spec"]

    (endpoint,) = monitor["podMetricsEndpoints"]
    of_name = "__meta_kubernetes_pod_label_app_kubernetes_io_name"
    assert endpoint["relabelings"] == [{"sourceLabels": [of_name], "targetLabel": "service"}]
    for service in OURS:
        pod = named(found, "Deployment", service)["spec"]["template"]
        labels, (container,) = pod["metadata"]["labels"], pod["spec"]["containers"]
        config = named(found, "ConfigMap", container["envFrom"][0]["configMapRef"]["name"])["data"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports[endpoint["port"]] == int(config["PAGERPAL_METRICS_PORT"])
        assert labels[monitor["jobLabel"]] == "pagerpal"
        assert labels["app.kubernetes.io/name"] == service
        assert monitor["selector"]["matchLabels"].items() <= labels.items()
        assert not [one for one in of_kind(found, "Service") if one["spec"]["ports"][0]["targetPort"] != "http"]
    for selector in (monitor["selector"], policy["podSelector"]):
        (expression,) = selector["matchExpressions"]
        assert (expression["key"], set(expression["values"])) == ("app.kubernetes.io/name", set(OURS))
    opened = {
        (source["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], port["port"])
        for one in of_kind(found, "NetworkPolicy")
        for rule in one["spec"].get("ingress", [])
        for source in rule["from"]
        for port in rule["ports"]
    }
    assert opened == {("gateways", "http"), ("monitoring", "metrics")}


def test_the_labels_that_the_readme_has_an_overlay_add_are_added(tmp_path: Path) -> None:
    (patches,) = re.findall(r"```yaml\n(patches:.*?)```", (KUBERNETES / "README.md").read_text(), re.DOTALL)
    (tmp_path / "kustomization.yaml").write_text(
        f"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        f"resources: [{relative(tmp_path, PRODUCTION)}]\n{patches}"
    )

    found = of_kind(objects(tmp_path), "PodMonitor", "PrometheusRule")

    assert {one["metadata"]["labels"].get("release") for one in found} == {"kube-prometheus-stack"}
    assert len(found) == 3


def test_the_broker_of_the_operator_is_the_one_whose_queues_are_watched() -> None:
    found = objects(PRODUCTION)
    monitor = named(found, "PodMonitor", "pagerpal-broker")["spec"]

    broker = named(found, "RabbitmqCluster", "pagerpal-broker")["metadata"]["name"]
    assert monitor["selector"]["matchLabels"] == {"app.kubernetes.io/name": broker}
    assert monitor["jobLabel"] == "app.kubernetes.io/name"
    (endpoint,) = monitor["podMetricsEndpoints"]
    (of_compose,) = (one for one in prometheus()["scrape_configs"] if one["job_name"] == broker)
    assert endpoint["path"] == of_compose["metrics_path"]
    assert endpoint["params"] == of_compose["params"]
    assert endpoint["params"]["vhost"] == [VHOST]


def test_the_dashboard_is_found_by_grafanas_sidecar() -> None:
    one = named(objects(PRODUCTION), "ConfigMap", "pagerpal-dashboard")

    assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert one["data"]["pagerpal.json"] == (DEPLOY / "grafana" / "dashboards" / "pagerpal.json").read_text()


def test_nothing_is_of_whatever_version_is_the_latest() -> None:
    assert Settings.model_fields["port"].alias == "PORT"
    assert "latest" not in "".join(path.read_text() for path in DEPLOY.rglob("*.y*ml"))
