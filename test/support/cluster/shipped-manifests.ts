import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseAllDocuments } from "yaml";
import { renderKustomization } from "../../../tools/render-manifests.ts";
import { eventually } from "../time/eventually.ts";
import { type ControlPlane, controlPlaneBinary } from "./control-plane.ts";

export const MANIFESTS = path.resolve(import.meta.dirname, "../../../manifests");

/** A Kubernetes object in a manifest. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** Value at a path in parsed JSON or YAML. Undefined if the path does not exist. */
export function at(value: unknown, ...steps: readonly (string | number)[]): unknown {
  let here = value;
  for (const step of steps) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Readonly<Record<string | number, unknown>>)[step]; // Reads arrays and objects alike by key.
  }
  return here;
}

/** List at a path. Empty if the path has none. */
export function listAt(value: unknown, ...steps: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...steps);
  return Array.isArray(found) ? found : [];
}

/** Throws on every YAML error or warning, including a duplicate key. */
export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).map((document) => {
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem !== undefined) throw problem;
    return document.toJS() as Manifest; // Test input of our own.
  });
}

export function readManifests(file: string): readonly Manifest[] {
  return parseManifests(readFileSync(path.join(MANIFESTS, file), "utf8"));
}

const rendered = new Map<string, Promise<string>>();

/**
 * Renders a folder of `manifests`, or another folder by its absolute path, as a user would apply it. Renders each folder only once per
 * process.
 */
export function renderFolder(folder: string): Promise<string> {
  const text = rendered.get(folder) ?? renderKustomization(controlPlaneBinary("kubectl"), path.resolve(MANIFESTS, folder));
  rendered.set(folder, text);
  return text;
}

/** The objects of the folders, in their order. */
export async function folderManifests(...folders: readonly string[]): Promise<readonly Manifest[]> {
  const texts = await Promise.all(folders.map(renderFolder));
  return texts.flatMap(parseManifests);
}

/** A folder with its component for node-side healing, as a user would combine them. */
export function nodeSideHealing(folder: string): OwnKustomization {
  const part = folder.startsWith("overlays/") ? "product" : folder.replace(/^components\/|-before-1\.35$/g, "");
  return { resources: [folder], components: [`components/node-side-healing/${part}`] };
}

/** The objects of the folders, in their order, with healing of the driver and the provider. */
export async function healingManifests(...folders: readonly string[]): Promise<readonly Manifest[]> {
  const texts = await Promise.all(folders.map((folder) => renderOwnKustomization(nodeSideHealing(folder))));
  return texts.flatMap(parseManifests);
}

/** Renders an overlay of `manifests/overlays`. */
export function renderOverlay(name: string): Promise<string> {
  return renderFolder(`overlays/${name}`);
}

/** A user's kustomization. Folders are below `manifests`. */
export interface OwnKustomization {
  readonly resources: readonly string[];
  readonly components?: readonly string[];
  readonly transformers?: readonly string[];
  /** Further objects in addition to the folders. */
  readonly objects?: readonly Manifest[];
  readonly namespace?: string;
  readonly patches?: readonly { readonly target: { readonly kind: string; readonly name: string }; readonly patch: string }[];
}

export async function renderOwnKustomization(own: OwnKustomization): Promise<string> {
  const { resources, components = [], transformers = [], objects = [], ...fields } = own;
  const folder = mkdtempSync(path.join(tmpdir(), "kustomization-"));
  try {
    const relative = (part: string): string => path.relative(folder, path.join(MANIFESTS, part));
    const files = objects.map((object, index) => ({ name: `object-${index}.yaml`, text: JSON.stringify(object) }));
    const kustomization = {
      ...fields,
      resources: [...resources.map(relative), ...files.map(({ name }) => name)],
      components: components.map(relative),
      transformers: transformers.map(relative),
    };
    for (const { name, text } of [...files, { name: "kustomization.yaml", text: JSON.stringify(kustomization) }])
      writeFileSync(path.join(folder, name), text);
    return await renderKustomization(controlPlaneBinary("kubectl"), folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Renders the default overlay in its own namespace or, like a user, in another one. */
export async function renderDefaultOverlay(namespace?: string): Promise<string> {
  if (namespace === undefined) return renderOverlay("default");
  return renderOwnKustomization({ namespace, resources: ["overlays/default"], transformers: ["namespace-references"] });
}

/** Installs the CRDs. Flags are kubectl's. Resolves when the API server serves the CRDs. */
export async function installDefinitions(plane: ControlPlane, ...flags: readonly string[]): Promise<void> {
  await plane.kubectl(["apply", "--server-side", ...flags, "-k", path.join(MANIFESTS, "crds")]);
  await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=20s"]);
}

/** Installs the CRDs, then all other objects, like a user. */
export async function installShipped(plane: ControlPlane, overlay?: string): Promise<void> {
  await installDefinitions(plane);
  await plane.kubectl(["apply", "--server-side", "-f", "-"], overlay ?? (await renderDefaultOverlay()));
}

/** Waits until the API server enforces a policy, some 100 ms after its creation. `probe` sends a request that this policy rejects. */
export async function policyIsActive(policy: string, probe: () => Promise<{ readonly body: unknown }>): Promise<void> {
  await eventually(async () => String(at((await probe()).body, "message")).includes(`'${policy}'`), { what: `policy ${policy}` });
}
