/** Writes every file of the chart and its documentation that is generated from the table of values. */
import { stringify } from "yaml";
import type { Json, JsonMap } from "./place.ts";
import type { ValueRow } from "./value-row.ts";
import { GROUPS } from "./values-own.ts";
import { DURATION_BOUNDS } from "./values-settings.ts";

/** Values by their keys, with rows at the leaves. */
type Tree = Map<string, Tree | ValueRow>;

function treeOf(rows: readonly ValueRow[]): Tree {
  const root: Tree = new Map();
  for (const row of rows) {
    const keys = row.path.split(".");
    let here = root;
    for (const key of keys.slice(0, -1)) {
      const next = here.get(key) ?? new Map<string, Tree | ValueRow>();
      if (!(next instanceof Map)) throw new Error(`${row.path} lies below another value`);
      here.set(key, next);
      here = next;
    }
    here.set(keys.at(-1) ?? "", row);
  }
  return root;
}

const refusalOf = ({ refused }: ValueRow): string =>
  refused === undefined ? "" : `rejected unless ${refused.unless.map((value) => JSON.stringify(value)).join(" or ")}: ${refused.because}`;

const WIDTH = 120;

/** Breaks a text into the lines of a YAML comment. */
function commented(text: string, indent: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && indent.length + last.length + word.length + 3 <= WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `${indent}# ${line}\n`).join("");
}

function writeYaml(rows: readonly ValueRow[]): string {
  const write = (tree: Tree, { indent, above }: { readonly indent: string; readonly above: string }): string =>
    [...tree]
      .map(([key, node]) => {
        const at = above === "" ? key : `${above}.${key}`;
        if (node instanceof Map) {
          const comment = GROUPS[at] === undefined ? "" : commented(GROUPS[at], indent);
          return `${comment}${indent}${key}:\n${write(node, { indent: `${indent}  `, above: at })}`;
        }
        const yaml = stringify({ [key]: node.default }, { lineWidth: 0, indentSeq: false });
        return `${commented(node.meaning, indent)}${yaml.trimEnd().replaceAll(/^/gm, indent)}\n`;
      })
      .join("");
  return write(treeOf(rows), { indent: "", above: "" });
}

/** Our values first, then upstream's. Values that the chart rejects are comments, because no user should set them. */
export function valuesYaml(rows: readonly ValueRow[]): string {
  const parts = SECTIONS.map(({ title, of, text }) => {
    const own = rows.filter(of);
    const head = `# ---- ${title} ----\n${commented(plain(text), "")}\n`;
    const isRefused = own.some(({ refused }) => refused !== undefined);
    return head + (isRefused ? own.map((row) => commented(`${row.path}: ${refusalOf(row)}`, "")).join("") : writeYaml(own));
  });
  return `# Made by tools/helm-chart; docs/reference/helm-values.md is the same as a table.\n\n${parts.join("\n")}`;
}

/** Removes the links of Markdown. */
const plain = (text: string): string => text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");

/** Whether all values below are ours, so that the schema need not allow names of another chart. */
function isOurs(tree: Tree): boolean {
  return [...tree.values()].every((node) => (node instanceof Map ? isOurs(node) : node.upstream === undefined));
}

export function valuesSchema(rows: readonly ValueRow[]): string {
  const write = (tree: Tree, above: string): JsonMap => ({
    // Up to version 0.4.0 the value was the whole name of the image.
    ...(above === "image" ? { type: ["object", "string"], minLength: 1 } : { type: "object" }),
    ...(GROUPS[above] === undefined ? {} : { description: GROUPS[above] }),
    ...(isOurs(tree) ? { additionalProperties: false } : {}),
    properties: Object.fromEntries(
      [...tree].map(([key, node]): [string, JsonMap] => [
        key,
        node instanceof Map
          ? write(node, above === "" ? key : `${above}.${key}`)
          : { ...node.type, description: node.refused === undefined ? node.meaning : refusalOf(node) },
      ]),
    ),
  });
  const schema = { $schema: "http://json-schema.org/draft-07/schema#", title: "Values of keyvault-injector", ...write(treeOf(rows), "") };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** Advice for top-level names of other charts that resemble none of this chart's names, or resemble a wrong one. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  replicaCount: "Set webhook.replicas and sync.replicas",
  replicas: "Set webhook.replicas and sync.replicas",
  ...Object.fromEntries(["installCRDs", "crds"].map((name) => [name, "The chart always contains the CRDs. Omit this value"])),
  ...Object.fromEntries(
    ["metrics", "serviceMonitor", "podMonitor", "prometheus"].map((name) => [
      name,
      "Set monitoring.podMonitor.enabled if the cluster has the Prometheus operator, or monitoring.service.enabled",
    ]),
  ),
  prometheusRule: "Set monitoring.prometheusRule.enabled",
};

/** Whether the chart rejects the value, or every value below it. */
function isInert(node: Tree | ValueRow): boolean {
  return node instanceof Map ? [...node.values()].every(isInert) : node.refused !== undefined;
}

/**
 * Table for the chart's own checks: the names on each level, the paths that end in a value, and rejected values. `inert`: paths that the
 * checks never suggest, because the chart rejects them. `elsewhere`: advice for names of other charts. `bounds`: see {@link DURATION_BOUNDS}.
 */
export function valuesTable(rows: readonly ValueRow[]): string {
  const names: Record<string, readonly string[]> = {};
  const inert: string[] = [];
  const collect = (tree: Tree, path: string): void => {
    names[path] = [...tree.keys()].sort();
    for (const [key, node] of tree) {
      const at = path === "" ? key : `${path}.${key}`;
      if (isInert(node)) inert.push(at);
      if (node instanceof Map) collect(node, at);
    }
  };
  collect(treeOf(rows), "");
  const refused = rows.flatMap((row) =>
    row.refused === undefined
      ? []
      : [{ path: row.path, unless: row.refused.unless.map((value): Json => JSON.stringify(value)), because: row.refused.because }],
  );
  const table = { names, inert: inert.sort(), elsewhere: ELSEWHERE, refused, bounds: DURATION_BOUNDS };
  return `${JSON.stringify(table, null, 2)}\n`;
}

const escaped = (text: string): string => text.replaceAll("|", "\\|");

function rowOf(row: ValueRow): string {
  const shown = JSON.stringify(row.default);
  const fallback = shown.length > 60 ? "see `values.yaml`" : `\`${shown}\``;
  const flag = row.flag === undefined ? "" : ` (\`--${row.flag}\`)`;
  const { refused } = row;
  const meaning =
    refused === undefined
      ? `${row.meaning}${flag}`
      : `**rejected** unless ${refused.unless.map((value) => `\`${JSON.stringify(value)}\``).join(" or ")}: \`${refused.because}\``;
  return `| \`${row.path}\` | ${escaped(fallback)} | ${escaped(meaning)} |`;
}

/** The tables of values by origin, in the order in which a reader needs them. */
const SECTIONS: readonly {
  readonly title: string;
  readonly of: (row: ValueRow) => boolean;
  readonly text: string;
  /** Header of the last column. */
  readonly says?: string;
}[] = [
  {
    title: "The project's own values",
    of: ({ upstream, refused }) => upstream === undefined && refused === undefined,
    text: "A flag in parentheses is the [setting](settings.md) that the value sets.",
  },
  {
    title: "Values of the Azure provider's chart",
    of: ({ upstream, refused }) => upstream === "provider" && refused === undefined,
    text: "The Azure extension uses the same names for these values. Values files for the provider's chart work unchanged. The default image tags are the versions that we test.",
  },
  {
    title: "Values of the CSI driver's chart",
    of: ({ upstream, refused }) => upstream === "driver" && refused === undefined,
    text: "As in the Azure extension, these values are under `secrets-store-csi-driver`. Put the content of a values file for the driver's own chart under that key. The default image tags are the versions that we test.",
  },
  {
    title: "Rejected values",
    of: ({ refused }) => refused !== undefined,
    text: "These values of the two upstream charts and the Azure extension cannot have an effect in this chart. Omit them. The chart accepts only what follows *unless*, and rejects anything else with the quoted message.",
    says: "What is rejected, and with which message",
  },
];

/** Every value, in tables with headings of the second level. */
export function valuesTables(rows: readonly ValueRow[]): string {
  return SECTIONS.map(({ title, of, text, says = "What it does" }) =>
    [`## ${title}`, "", text, "", `| Value | Default | ${says} |`, "|---|---|---|", ...rows.filter(of).map(rowOf)].join("\n"),
  ).join("\n\n");
}

export function valuesPage(rows: readonly ValueRow[]): string {
  return [
    "# Values of the Helm chart",
    "",
    "The tables below list every value of the Helm chart. The chart rejects unknown names, and values that would have no effect, with an error that states the reason.",
    "",
    valuesTables(rows),
    "",
  ].join("\n");
}
