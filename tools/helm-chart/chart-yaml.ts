/** Writes Chart.yaml, with the annotations that Artifact Hub shows. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse, stringify } from "yaml";
import { type Change, changesOf } from "./changes.ts";
import type { Json, JsonMap } from "./place.ts";
import { PROJECT } from "./project.ts";
import type { ValueRow } from "./value-row.ts";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

const KEYWORDS = ["azure", "key-vault", "secrets", "csi", "secrets-store-csi-driver", "webhook", "rotation", "workload-identity"];

export interface ChartParts {
  readonly rows: readonly ValueRow[];
  /** Names of files in `manifests/crds`. */
  readonly definitions: readonly string[];
}

/** A data URL, so that Artifact Hub downloads no icon from elsewhere. */
function icon(): string {
  return `data:image/svg+xml;base64,${Buffer.from(read("manifests/helm/icon.svg")).toString("base64")}`;
}

/** Each image of the default values once, by its repository. */
function imagesOf(rows: readonly ValueRow[]): Json {
  const textOf = (name: string): string => {
    const value = rows.find((row) => row.path === name)?.default;
    return typeof value === "string" ? value : "";
  };
  const repositories = rows.filter((row) => row.path.endsWith("mage.repository") && row.default !== "");
  const images = repositories.map((row) => `${textOf(row.path)}:${textOf(row.path.replace(/repository$/, "tag")) || PROJECT.version}`);
  return [...new Set(images)].map((image) => ({ name: path.posix.basename(image).split(":")[0] ?? image, image }));
}

interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly storage: boolean;
      readonly schema: { readonly openAPIV3Schema: { readonly description?: string } };
    }[];
  };
}

function definitionOf(file: string): Json {
  const { metadata, spec } = parse(read(path.join("manifests/crds", file))) as Definition; // Applied to API servers by other tests.
  const stored = spec.versions.find(({ storage }) => storage);
  if (stored === undefined) throw new Error(`${file} stores no version`);
  const { kind } = spec.names;
  const description = stored.schema.openAPIV3Schema.description ?? kind;
  return { kind, version: stored.name, name: metadata.name, displayName: kind.replaceAll(/([a-z])([A-Z])/g, "$1 $2"), description };
}

const EXAMPLE = "manifests/examples/secretproviderclass-mirrored.yaml";

const LINKS: Json = [
  ["Install", "docs/how-to/install"],
  ["Values", "docs/reference/helm-values"],
  ["Runbooks", "docs/runbooks"],
].map(([name = "", page = ""]) => ({ name, url: `${PROJECT.homepage}/${page}` }));

/** Has no `signKey`, because the project does not have a key yet. */
function annotations({ rows, definitions }: ChartParts, changes: readonly Change[]): JsonMap {
  const lists: Readonly<Record<string, Json>> = {
    changes: changes.map(({ kind, description }): JsonMap => ({ kind, description })),
    crds: definitions.map(definitionOf),
    crdsExamples: [parse(read(EXAMPLE)) as Json],
    images: imagesOf(rows),
    links: LINKS,
  };
  const texts = Object.entries(lists).map(([name, list]): [string, string] => [name, stringify(list, { lineWidth: 0 })]);
  const hasSecurity = changes.some(({ kind }) => kind === "security");
  const all = {
    category: "security",
    containsSecurityUpdates: String(hasSecurity),
    license: PROJECT.license,
    ...Object.fromEntries(texts),
  };
  return Object.fromEntries(Object.entries(all).map(([name, text]) => [`artifacthub.io/${name}`, text]));
}

export function chartYaml(version: string, parts: ChartParts): string {
  const chart = {
    apiVersion: "v2",
    name: "keyvault-injector",
    description:
      "Adds Azure Key Vault secrets to pods with two annotations, and syncs them to Kubernetes Secrets that rotate and heal automatically",
    type: "application",
    version,
    appVersion: version,
    kubeVersion: ">=1.30.0-0",
    icon: icon(),
    home: PROJECT.homepage,
    sources: [PROJECT.repository],
    keywords: KEYWORDS,
    maintainers: PROJECT.maintainers.map(({ name, email }) => ({ name, email, url: PROJECT.homepage })),
    annotations: annotations(parts, changesOf(read("CHANGELOG.md"), version)),
  };
  return `# Made by tools/helm-chart. Kubernetes 1.30 is the first in which the admission policies are v1.\n${stringify(chart, { lineWidth: 0, indentSeq: false })}`;
}
