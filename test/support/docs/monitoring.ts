import { readRepositoryFile } from "../../../tools/repository-files.ts";
import { at, listAt, readManifests } from "../cluster/shipped-manifests.ts";

/** Reads the alerts and the dashboard of `manifests/components/monitoring`. */
export const ALERT_FILES = ["admission", "webhook", "sync"].map((name) => `components/monitoring/alerts/${name}.yaml`);
export const DASHBOARD = "manifests/components/monitoring/dashboard.json";

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** Time during which the expression must hold before the alert fires, such as `10m`. */
  readonly for: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** Groups of a Prometheus rule file, which the `spec` of each PrometheusRule contains. */
export function alertGroups(): readonly unknown[] {
  return ALERT_FILES.flatMap((file) => readManifests(file)).flatMap((rule) => listAt(rule, "spec", "groups"));
}

export function alertRules(): readonly AlertRule[] {
  return alertGroups().flatMap((group) => listAt(group, "rules")) as AlertRule[]; // promtool checks the form.
}

export interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly expressions: readonly string[];
}

/** Expressions of the dashboard's vertical lines. */
export function dashboardAnnotations(): readonly string[] {
  return listAt(dashboard(), "annotations", "list").map((annotation) => String(at(annotation, "expr")));
}

/** The dashboard's variables, with the queries for their values. */
export function dashboardVariables(): ReadonlyMap<string, string> {
  return new Map(
    listAt(dashboard(), "templating", "list").map((variable) => [String(at(variable, "name")), String(at(variable, "definition"))]),
  );
}

export function dashboard(): unknown {
  return JSON.parse(readRepositoryFile(DASHBOARD));
}

/** The dashboard's panels, without rows. */
export function dashboardPanels(): readonly Panel[] {
  return listAt(dashboard(), "panels")
    .filter((panel) => at(panel, "type") !== "row")
    .map((panel) => ({
      id: Number(at(panel, "id")),
      title: String(at(panel, "title")),
      description: String(at(panel, "description")),
      expressions: listAt(panel, "targets").map((target) => String(at(target, "expr"))),
    }));
}
