import { globSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { readManifests } from "../../src/cli/manifest/documents.ts";
import { itemsOf } from "../../src/cli/manifest/items.ts";
import type { PeerObject } from "../../src/domain/convert/peer-object.ts";

/** Kinds that the tally counts. */
export const CONVERTED: readonly string[] = ["ExternalSecret", "AzureKeyVaultSecret", "SecretSync", "AKVSync", "SecretProviderClass"];
/** Kinds that the counted ones refer to, often in another file. */
export const NAMED: readonly string[] = ["SecretStore", "ClusterSecretStore", "ServiceAccount", "SecretProviderClass"];

export interface Manifest {
  readonly folder: string;
  readonly objects: readonly PeerObject[];
}

/** Larger files are not manifests that a person wrote. */
const LARGEST = 1024 * 1024;

/**
 * Manifests of files, and of the examples of pages. Each example is one manifest by itself, because pages use the same names several times.
 */
export function manifestsIn(repository: string): readonly Manifest[] {
  return globSync("**/*.{yaml,yml,json,md,mdx}", { cwd: repository })
    .map((file) => path.join(repository, file))
    .filter((file) => statSync(file).isFile() && statSync(file).size < LARGEST)
    .sort()
    .flatMap((file) => textsOf(file).map((text) => ({ folder: path.dirname(file), objects: objectsIn(text) })))
    .filter(({ objects }) => objects.length > 0);
}

const EXAMPLE = /^( *)```ya?ml.*\n([^]*?)^\1```/gm;

function textsOf(file: string): readonly string[] {
  const text = readFileSync(file, "utf8");
  if (!/\.mdx?$/.test(file)) return [text];
  return [...text.matchAll(EXAMPLE)].map(([, indent = "", block = ""]) => block.replaceAll(new RegExp(`^${indent}`, "gm"), ""));
}

/** Variables of Flux and envsubst, for which they substitute a whole address, or anything. */
const ADDRESS = /(vaultUrl: *)["']?\$\{[A-Za-z_][^}]*\}["']?/g;
const VARIABLE = /\$\{[A-Za-z_][^}]*\}/g;

function substituted(text: string): string {
  return text.replaceAll(ADDRESS, "$1https://example.vault.azure.net").replaceAll(VARIABLE, "example");
}

function objectsIn(text: string): readonly PeerObject[] {
  return readManifests("-", substituted(text))
    .documents.flatMap(itemsOf)
    .filter(({ kind }) => CONVERTED.includes(kind) || NAMED.includes(kind))
    .map(({ object, kind, name, namespace }) => ({ object, kind, name, namespace }));
}
