/** Every generated file of `manifests/helm/keyvault-injector` and of its documentation. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { chartYaml } from "./chart-yaml.ts";
import { monitoringFile } from "./monitoring.ts";
import type { Json, JsonMap } from "./place.ts";
import { PROJECT } from "./project.ts";
import { chartReadme } from "./readme.ts";
import { type Objects, type Render, renderSources, type Sources } from "./sources.ts";
import { chartTemplates } from "./templates.ts";
import type { ValueRow } from "./value-row.ts";
import { DRIVER_ROWS } from "./values-driver.ts";
import { valuesPage, valuesSchema, valuesTable, valuesYaml } from "./values-files.ts";
import { ownRows } from "./values-own.ts";
import { PROVIDER_ROWS } from "./values-provider.ts";
import { SETTING_ROWS, settingsTemplates } from "./values-settings.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** Relative to the checkout. */
export const CHART = "manifests/helm/keyvault-injector";

export interface ChartFile {
  /** Relative to the checkout. */
  readonly file: string;
  readonly text: string;
}

function valueRows(sources: Sources): readonly ValueRow[] {
  const container = (component: "webhook" | "sync"): JsonMap => containerOf(sources.product, component);
  const { image } = container("sync");
  const [repository, tag] = typeof image === "string" ? image.split(":") : [];
  if (repository === undefined || tag !== PROJECT.version) throw new Error("the container of sync has not this version's image");
  const defaults = {
    repository,
    resources: { webhook: container("webhook")["resources"] ?? null, sync: container("sync")["resources"] ?? null },
  };
  return [...ownRows(defaults), ...SETTING_ROWS, ...PROVIDER_ROWS, ...DRIVER_ROWS];
}

function containerOf(objects: Objects, component: string): JsonMap {
  const steps = ["spec", "template", "spec", "containers", 0];
  let here: Json | undefined = objects.get(`Deployment/keyvault-injector-${component}`);
  for (const step of steps) here = (here as Readonly<Record<string | number, Json>> | undefined)?.[step]; // By key or index.
  if (typeof here !== "object" || here === null) throw new Error(`no container of ${component}`);
  return here as JsonMap;
}

export async function chartFiles(render: Render, version: string): Promise<readonly ChartFile[]> {
  const sources = await renderSources(render);
  const rows = valueRows(sources);
  const definitions = readdirSync(path.join(root, "manifests/crds")).filter((name) => name.startsWith("secret"));
  const inChart = new Map([
    ["Chart.yaml", chartYaml(version, { rows, definitions })],
    ["README.md", chartReadme(rows)],
    ["values.yaml", valuesYaml(rows)],
    ["values.schema.json", valuesSchema(rows)],
    ["values-table.json", valuesTable(rows)],
    ["monitoring.json", monitoringFile(sources.monitoring)],
    ["templates/_settings.tpl", settingsTemplates()],
    ...[...chartTemplates(sources)].map(([name, text]): [string, string] => [`templates/${name}`, text]),
    ...definitions.map((name): [string, string] => [`crds/${name}`, readFileSync(path.join(root, "manifests/crds", name), "utf8")]),
  ]);
  return [
    ...[...inChart].map(([name, text]) => ({ file: path.posix.join(CHART, name), text })),
    { file: "docs/reference/helm-values.md", text: valuesPage(rows) },
  ];
}
