import { readRepositoryFile } from "./repository-files.ts";
import { at, listAt, readManifests } from "./shipped-manifests.ts";

/** What `manifests/components/monitoring` says. */
export const ALERT_FILES = ["admission", "webhook", "sync"].map((name) => `components/monitoring/alerts/${name}.yaml`);
export const DASHBOARD = "manifests/components/monitoring/dashboard.json";

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** How long it has to hold before the alert fires, such as `10m`. */
  readonly for: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** The groups of a Prometheus rule file: the `spec` of each PrometheusRule holds the same. */
export function alertGroups(): readonly unknown[] {
  return ALERT_FILES.flatMap((file) => readManifests(file)).flatMap((rule) => listAt(rule, "spec", "groups"));
}

export function alertRules(): readonly AlertRule[] {
  return alertGroups().flatMap((group) => listAt(group, "rules")) as AlertRule[]; // Checked by promtool.
}

export interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly expressions: readonly string[];
}

/** Rows are no panels. */
export function dashboardPanels(): readonly Panel[] {
  return listAt(JSON.parse(readRepositoryFile(DASHBOARD)), "panels")
    .filter((panel) => at(panel, "type") !== "row")
    .map((panel) => ({
      id: Number(at(panel, "id")),
      title: String(at(panel, "title")),
      description: String(at(panel, "description")),
      expressions: listAt(panel, "targets").map((target) => String(at(target, "expr"))),
    }));
}
