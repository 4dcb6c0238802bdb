import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { type RegisteredMetric, registeredMetrics } from "../../tools/reference/registered-metrics.ts";
import { REPOSITORY, readRepositoryFile } from "../../tools/repository-files.ts";
import { at, listAt, parseManifests, readManifests } from "../support/cluster/shipped-manifests.ts";
import { codeSpans, tables } from "../support/docs/markdown.ts";
import { alertRules, dashboard, dashboardAnnotations, dashboardPanels, dashboardVariables } from "../support/docs/monitoring.ts";

/** Metrics of the API server about webhooks, and metrics of every Node process. */
const FOREIGN = [
  "apiserver_admission_webhook_fail_open_count",
  "apiserver_admission_webhook_rejection_count",
  "process_cpu_seconds_total",
  "process_resident_memory_bytes",
  "nodejs_eventloop_lag_p99_seconds",
];
/** Labels of every scraped series. */
const TARGET_LABELS = ["pod", "namespace", "version", "le"];
/** The label that tells clusters apart in a Prometheus with series of several clusters. */
const FLEET_LABEL = "cluster";

/** Base address of the project's pages: by convention, `runbook_url` is a complete address. */
const { homepage: HOMEPAGE } = JSON.parse(readRepositoryFile("package.json")) as { readonly homepage: string }; // The project's own file has this form.

const metrics = await registeredMetrics();
const byName = new Map(metrics.map((metric) => [metric.name, metric]));
const drawn = [...dashboardPanels().flatMap((panel) => panel.expressions), ...dashboardAnnotations()];
const expressions = [...alertRules().map(({ expr }) => expr), ...drawn];

function metricOf(series: string): RegisteredMetric | undefined {
  const histogram = byName.get(series.replace(/_(bucket|sum|count)$/, ""));
  return byName.get(series) ?? (histogram?.type === "histogram" ? histogram : undefined);
}

/** Returns the mistakes of an expression about metrics, such as metrics or labels that the code does not report. */
function untruths(expression: string): readonly string[] {
  const found: string[] = [];
  const used = [...expression.matchAll(/\b((?:keyvault_injector|apiserver|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)];
  for (const [, series = "", matchers = ""] of used) {
    const metric = metricOf(series);
    if (metric === undefined && !FOREIGN.includes(series)) found.push(`no metric ${series}`);
    if (metric !== undefined) found.push(...wrongMatchers(metric, matchers));
  }
  const ours = used.flatMap(([, series = ""]) => metricOf(series) ?? []);
  const known = new Set([...TARGET_LABELS, FLEET_LABEL, ...ours.flatMap(({ labels }) => [...labels.keys()])]);
  if (ours.length === used.length) {
    const grouped = [...expression.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, names = ""]) => names.split(/,\s*/));
    found.push(...grouped.filter((name) => !known.has(name)).map((name) => `no label ${name}`));
  }
  return found;
}

function wrongMatchers({ name, labels }: RegisteredMetric, matchers: string): readonly string[] {
  return [...matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"([^"]*)"/g)].flatMap(([, label = "", value = ""]) => {
    if (label === FLEET_LABEL) return [];
    if (!labels.has(label)) return [`${name} has no label ${label}`];
    const values = labels.get(label);
    return values === undefined ? [] : value.split("|").flatMap((each) => (values.has(each) ? [] : [`${name}: no ${label} ${each}`]));
  });
}

describe("the dashboard and the alerts", () => {
  test("name only metrics, labels and values that the code reports", () => {
    assert.deepEqual(expressions.flatMap(untruths), []);
    assert.ok(expressions.length > 60);
  });

  test("would be told what is wrong with them", () => {
    const planted = {
      "rate(keyvault_injector_sync_totals[5m])": "no metric keyvault_injector_sync_totals",
      'keyvault_injector_sync_total{reason="Sinced"}': "keyvault_injector_sync_total: no reason Sinced",
      'keyvault_injector_sync_total{reason!~"Synced|Nothing"}': "keyvault_injector_sync_total: no reason Nothing",
      'keyvault_injector_leader{vault="a"}': "keyvault_injector_leader has no label vault",
      "max by (vaults) (keyvault_injector_vault_rate)": "no label vaults",
      keyvault_injector_queue_depth_bucket: "no metric keyvault_injector_queue_depth_bucket",
    };
    for (const [expression, problem] of Object.entries(planted)) assert.deepEqual(untruths(expression), [problem]);
  });
});

describe("the dashboard", () => {
  test("shows every metric that the code reports", () => {
    const shown = dashboardPanels()
      .flatMap((panel) => panel.expressions)
      .join("\n");
    const series = metrics.map(({ name, type }) => (type === "histogram" ? `${name}_bucket` : name));

    assert.deepEqual(
      series.filter((name) => !new RegExp(`\\b${name}\\b`).test(shown)),
      [],
    );
  });

  test("has panels of different ids, each with a title, a sentence and expressions", () => {
    const panels = dashboardPanels();

    assert.ok(panels.length > 25);
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    for (const { title, description, expressions: own } of panels)
      assert.ok(title !== "" && description.endsWith(".") && own.length > 0, title);
  });

  /** Names of the series in an expression, each with its matchers. */
  const seriesOf = (expression: string): readonly { readonly name: string; readonly matchers: string }[] =>
    [...expression.matchAll(/\b((?:keyvault_injector|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)].map(([, name = "", matchers = ""]) => ({
      name,
      matchers,
    }));

  test("is filtered by cluster everywhere, and by namespace, class and vault where a series has these labels", () => {
    assert.deepEqual([...dashboardVariables().keys()], ["datasource", "cluster", "namespace", "class", "vault"]);
    for (const { name, matchers } of drawn.flatMap(seriesOf)) {
      const own = ["namespace", "class", "vault"].filter((label) => metricOf(name)?.labels.has(label) === true);
      for (const label of ["cluster", ...own]) assert.ok(matchers.includes(`${label}=~"$${label}"`), `${name}: not filtered by ${label}`);
    }
    assert.ok(drawn.flatMap(seriesOf).some(({ matchers }) => matchers.includes('class=~"$class"')));
  });

  test("offers of each filter what a series with that label has", () => {
    for (const [name, definition] of dashboardVariables()) {
      if (name === "datasource") continue;
      const [, asked] = /, (\w+)\)$/.exec(definition) ?? [];
      const named = [...definition.matchAll(/keyvault_injector_\w+/g)].map(([series]) => byName.get(series));

      assert.equal(asked, name);
      assert.ok(named.length > 0 && named.every((metric) => metric !== undefined), definition);
      if (name !== FLEET_LABEL)
        assert.ok(
          named.every((metric) => metric?.labels.has(name)),
          definition,
        );
    }
  });

  test("marks rotations and restarts, and links the runbook of each alert", () => {
    const marks = dashboardAnnotations().join("\n");
    for (const metric of ["secret_writes_total", "rollouts_total", "leader"])
      assert.match(marks, new RegExp(`keyvault_injector_${metric}`));

    const linked = new Set(JSON.stringify(dashboard()).match(new RegExp(`${HOMEPAGE}/docs/runbooks/[^"]+`, "g")) ?? []);
    const fixed = alertRules().flatMap(({ annotations }) => annotations["runbook_url"] ?? []);
    assert.deepEqual(
      fixed.map((url) => url.replace("{{ $labels.reason }}", "${__field.labels.reason}")).filter((url) => !linked.has(url)),
      [],
    );
    for (const url of linked) {
      const page = url.replace(`${HOMEPAGE}/`, "").replace("${__field.labels.reason}", "Synced");
      assert.ok(existsSync(path.join(REPOSITORY, page)), url);
    }
  });

  test("is in the ConfigMap that Grafana looks for, beside the alerts and the PodMonitor", () => {
    const [kustomization] = readManifests("components/monitoring/kustomization.yaml");
    const [generator] = listAt(kustomization, "configMapGenerator");

    assert.deepEqual(listAt(generator, "files"), ["keyvault-injector.json=dashboard.json"]);
    assert.equal(at(generator, "options", "labels", "grafana_dashboard"), "1");
    assert.deepEqual(listAt(kustomization, "resources"), ["alerts", "pod-monitor.yaml"]);
  });
});

describe("the PodMonitor", () => {
  test("selects the pods of both processes by their labels and the port that serves metrics", () => {
    const [monitor] = readManifests("components/monitoring/pod-monitor.yaml");
    const [endpoint] = listAt(monitor, "spec", "podMetricsEndpoints");
    const components = listAt(monitor, "spec", "selector", "matchExpressions", 0, "values");
    assert.deepEqual(components, ["webhook", "sync"]);
    for (const component of ["webhook", "sync"]) {
      const deployment = readManifests(`base/${component}.yaml`).find(({ kind }) => kind === "Deployment");
      const labels = at(deployment, "spec", "template", "metadata", "labels");
      assert.equal(at(labels, "app.kubernetes.io/name"), at(monitor, "spec", "selector", "matchLabels", "app.kubernetes.io/name"));
      assert.equal(at(labels, "app.kubernetes.io/component"), component);
      const ports = listAt(deployment, "spec", "template", "spec", "containers", 0, "ports").map((port) => at(port, "name"));
      assert.ok(ports.includes(at(endpoint, "port")), component);
    }
  });
});

describe("the metrics Services", () => {
  test("select the pods of one process each, ready or not, by the port that serves metrics", () => {
    const services = readManifests("components/metrics-service/services.yaml");
    assert.deepEqual(
      services.map((service) => at(service, "spec", "selector", "app.kubernetes.io/component")),
      ["webhook", "sync"],
    );
    for (const service of services) {
      const component = String(at(service, "spec", "selector", "app.kubernetes.io/component"));
      const deployment = readManifests(`base/${component}.yaml`).find(({ kind }) => kind === "Deployment");
      const labels = at(deployment, "spec", "template", "metadata", "labels");
      const ports = listAt(deployment, "spec", "template", "spec", "containers", 0, "ports");
      const scraped = ports.find((port) => at(port, "name") === at(service, "spec", "ports", 0, "targetPort"));

      assert.deepEqual(at(service, "spec", "selector"), labels);
      assert.equal(at(service, "spec", "clusterIP"), "None");
      assert.equal(at(service, "spec", "publishNotReadyAddresses"), true);
      assert.equal(String(at(scraped, "containerPort")), at(service, "metadata", "annotations", "prometheus.io/port"));
    }
  });
});

describe("the alerts", () => {
  /** Returns the runbooks of an alert. If the link contains the label `reason`, there is one for each reason that can fire. */
  const runbooksOf = (expr: string, runbook: string): readonly string[] => {
    if (!runbook.includes("{{ $labels.reason }}")) return [runbook];
    const reasons = [...(byName.get("keyvault_injector_classes")?.labels.get("reason") ?? [])];
    const [, excluded = ""] = /reason!~"([^"]*)"/.exec(expr) ?? [];
    const fires = reasons.filter((reason) => !excluded.split("|").includes(reason));
    assert.ok(fires.length > 10);
    return fires.map((reason) => runbook.replace("{{ $labels.reason }}", reason));
  };

  test("R7: say what is wrong, how bad it is, and which runbook helps", () => {
    for (const { alert, expr, annotations, labels } of alertRules()) {
      assert.match(alert, /^KeyVaultInjector[A-Z]\w+$/);
      assert.match(labels["severity"] ?? "", /^(critical|warning|info)$/, alert);
      assert.ok((annotations["summary"] ?? "") !== "" && (annotations["description"] ?? "") !== "", alert);
      for (const runbook of runbooksOf(expr, annotations["runbook_url"] ?? "")) {
        const page = runbook.replace(`${HOMEPAGE}/`, "");
        assert.match(page, /^docs\/runbooks\/[\w-]+\.md$/, alert);
        assert.ok(existsSync(path.join(REPOSITORY, page)), `${alert}: ${page}`);
      }
    }
    assert.equal(new Set(alertRules().map(({ alert }) => alert)).size, alertRules().length);
  });

  test("R7: wait for longer than the time that they count over, so that a trouble of three minutes is over before", () => {
    const minutes = (text: string): number => Number(/^(\d+)m$/.exec(text)?.[1] ?? Number.NaN);
    const counting = alertRules().filter(({ expr }) => /\[\d+m\]/.test(expr));
    assert.ok(counting.length > 6);
    for (const { alert, expr, for: held } of counting) {
      const [, range = ""] = /\[(\d+m)\]/.exec(expr) ?? [];
      assert.ok(minutes(held) >= minutes(range) + 3, `${alert}: counts over ${range}, waits for ${held}`);
    }
  });

  test("R13: tell of every part of the install that is damaged and stays so, the policies among them", () => {
    const damaged = alertRules().filter(({ expr }) => expr.includes("keyvault_injector_component_damaged"));
    assert.deepEqual(
      damaged.map(({ labels }) => labels["severity"]),
      ["critical"],
    );
  });

  test("stand in the index of the runbooks with their pages, and no other", () => {
    const rows = tables(readRepositoryFile("docs/runbooks/README.md")).filter(({ header }) => header[0] === "Alert");
    const listed = rows.flatMap((table) =>
      table.rows.map(([alert = "", page = ""]) => `${codeSpans(alert).join()} ${/\((.*)\)/.exec(page)?.[1] ?? "by reason"}`),
    );
    const shipped = alertRules().map(({ alert, annotations }) => {
      const runbook = annotations["runbook_url"] ?? "";
      return `${alert} ${runbook.includes("{{") ? "by reason" : runbook.replace(`${HOMEPAGE}/docs/runbooks/`, "")}`;
    });

    assert.deepEqual([...listed].sort(), [...shipped].sort());
  });

  test("are still found where 0.1.0 had them", () => {
    const text = readFileSync(path.join(REPOSITORY, "manifests/components/alerts/kustomization.yaml"), "utf8");

    assert.deepEqual(listAt(parseManifests(text)[0], "resources"), ["../monitoring/alerts"]);
  });
});
