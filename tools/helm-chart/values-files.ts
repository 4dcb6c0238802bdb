/** Every file of the chart and its documentation that is made from the table of values. */
import { stringify } from "yaml";
import type { Json, JsonMap } from "./place.ts";
import type { ValueRow } from "./value-row.ts";

/** Values by their keys, rows at the leaves. */
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
  refused === undefined ? "" : `refused unless ${refused.unless.map((value) => JSON.stringify(value)).join(" or ")}: ${refused.because}`;

export function valuesYaml(rows: readonly ValueRow[]): string {
  const write = (tree: Tree, indent: string): string =>
    [...tree]
      .map(([key, node]) => {
        if (node instanceof Map) return `${indent}${key}:\n${write(node, `${indent}  `)}`;
        const comment = `${indent}# ${node.refused === undefined ? node.meaning : refusalOf(node)}\n`;
        const yaml = stringify({ [key]: node.default }, { lineWidth: 0, indentSeq: false });
        return `${comment}${yaml.trimEnd().replaceAll(/^/gm, indent)}\n`;
      })
      .join("");
  return `# Made by tools/helm-chart; docs/reference/helm-values.md is the same as a table.\n${write(treeOf(rows), "")}`;
}

export function valuesSchema(rows: readonly ValueRow[]): string {
  const write = (tree: Tree): JsonMap => ({
    type: "object",
    properties: Object.fromEntries(
      [...tree].map(([key, node]): [string, JsonMap] => [
        key,
        node instanceof Map ? write(node) : { ...node.type, description: node.refused === undefined ? node.meaning : refusalOf(node) },
      ]),
    ),
  });
  const schema = { $schema: "http://json-schema.org/draft-07/schema#", title: "Values of keyvault-injector", ...write(treeOf(rows)) };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** For the chart's own checks: names on each level, where values end, and what is refused. */
export function valuesTable(rows: readonly ValueRow[]): string {
  const names: Record<string, readonly string[]> = {};
  const collect = (tree: Tree, path: string): void => {
    names[path] = [...tree.keys()].sort();
    for (const [key, node] of tree) if (node instanceof Map) collect(node, path === "" ? key : `${path}.${key}`);
  };
  collect(treeOf(rows), "");
  const refused = rows.flatMap((row) =>
    row.refused === undefined
      ? []
      : [{ path: row.path, unless: row.refused.unless.map((value): Json => JSON.stringify(value)), because: row.refused.because }],
  );
  return `${JSON.stringify({ names, refused }, null, 2)}\n`;
}

const escaped = (text: string): string => text.replaceAll("|", "\\|");

function rowOf(row: ValueRow): string {
  const shown = JSON.stringify(row.default);
  const fallback = shown.length > 60 ? "see `values.yaml`" : `\`${shown}\``;
  const flag = row.flag === undefined ? "" : ` (\`--${row.flag}\`)`;
  const meaning = row.refused === undefined ? `${row.meaning}${flag}` : `**refused** ${refusalOf(row).slice("refused ".length)}`;
  return `| \`${row.path}\` | ${escaped(fallback)} | ${escaped(meaning)} |`;
}

export function valuesPage(rows: readonly ValueRow[]): string {
  const section = (title: string, from: ValueRow["upstream"], text: string): readonly string[] => [
    `## ${title}`,
    "",
    text,
    "",
    "| Value | Default | What it does |",
    "|---|---|---|",
    ...rows.filter(({ upstream }) => upstream === from).map(rowOf),
    "",
  ];
  return [
    "# Values of the Helm chart",
    "",
    "Made by `tools/helm-chart` from the table that the chart's schema, its defaults and its own checks are made from; `npm run check` compares.",
    "A name that is not here is refused with the nearest one, a value that cannot have an effect with the reason.",
    "",
    ...section("Ours", undefined, "Flags of our processes are in [settings](settings.md)."),
    ...section(
      "Of the Azure provider's chart",
      "provider",
      "The extension's settings, under its names and with its defaults. Values files of that chart are taken as they are.",
    ),
    ...section(
      "Of the CSI driver's chart",
      "driver",
      "As the extension has them, under `secrets-store-csi-driver`. A values file of the driver's own chart goes under that key.",
    ),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}
