import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import type { AuditEntry } from "./audit.ts";
import type { ControlPlane } from "./control-plane.ts";
import { FLUX_USER, type Flux, type RepositoryContent } from "./flux.ts";
import { at, folderManifests, listAt, MANIFESTS, type Manifest } from "./shipped-manifests.ts";

/** Namespace of the install, and the name of its Kustomization and source. */
export const PRODUCT = "keyvault-injector";
export const TEAM = "teams/shop";

export const productPath = (folder: string): string => `manifests/${folder}`;

/** The Kustomizations of `manifests/gitops/flux`, in the order of their dependencies. */
export const KUSTOMIZATIONS = [
  "keyvault-injector-crds",
  "keyvault-injector",
  "keyvault-injector-csi-driver",
  "keyvault-injector-azure-provider",
] as const;

/** This checkout's manifests in a repository, with further files. */
export function repositoryWith(files: Readonly<Record<string, string>> = {}): RepositoryContent {
  const shipped = globSync("**/*.yaml", { cwd: MANIFESTS, exclude: ["releases/**"] }).sort();
  const read = (file: string): string => readFileSync(path.join(MANIFESTS, file), "utf8");
  return new Map([...shipped.map((file): [string, string] => [`manifests/${file}`, read(file)]), ...Object.entries(files)]);
}

/**
 * Applies the shipped `manifests/gitops/flux`, and reconciles it once. Flux's own patches make the changes of {@link onOneMachine}, and
 * shorten the intervals, so that Flux reconciles several times within a minute.
 */
export async function installByFlux(plane: ControlPlane, flux: Flux, admissionPort: number): Promise<void> {
  const shipped = await folderManifests("gitops/flux");
  const items = shipped.map((manifest) => (manifest.kind === "Kustomization" ? forOneMachine(manifest, admissionPort) : manifest));
  await plane.kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await flux.publish(repositoryWith());
  for (const name of KUSTOMIZATIONS) {
    const { status, message } = await flux.reconcile(name);
    if (status !== "True") throw new Error(`${name}: ${message}\n${flux.log().slice(-4_000)}`);
  }
}

function forOneMachine(manifest: Manifest, admissionPort: number): Manifest {
  const replace = (kind: string, operations: readonly (readonly [string, unknown])[]): unknown => ({
    target: { kind },
    patch: JSON.stringify(operations.map(([where, value]) => ({ op: "replace", path: where, value }))),
  });
  const port = (webhook: number): readonly [string, unknown] => [`/webhooks/${webhook}/clientConfig/service/port`, admissionPort];
  const patches = [
    replace("Deployment", [["/spec/replicas", 0]]),
    replace("Service", [["/spec", { type: "ExternalName", externalName: "127.0.0.1" }]]),
    replace("MutatingWebhookConfiguration", [port(0)]),
    replace("ValidatingWebhookConfiguration", [port(0), port(1)]),
  ];
  const spec = { ...(at(manifest, "spec") as object), interval: "10s", retryInterval: "10s" };
  return { ...manifest, spec: manifest.metadata.name === "keyvault-injector" ? { ...spec, patches } : spec };
}

/** A Kustomization of a team for its folder in the repository. */
export function teamKustomization(namespace: string): Manifest {
  return {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name: "team", namespace: "flux-system" },
    spec: {
      sourceRef: { kind: "GitRepository", name: PRODUCT },
      path: `./${TEAM}`,
      targetNamespace: namespace,
      prune: true,
      interval: "1h",
    },
  };
}

/** `kind namespace/name` and resourceVersion of every object that the Kustomizations installed, of every class and of every Secret. */
export async function installedVersions(plane: ControlPlane): Promise<ReadonlyMap<string, string>> {
  const items = await folderManifests("crds", "overlays/default", "components/csi-driver", "components/azure-provider");
  const installed = await plane.kubectl(
    ["get", "-f", "-", "-o", "json", "--ignore-not-found"],
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );
  const others = await plane.kubectl(["get", "secrets,secretproviderclasses", "-A", "-o", "json"]);
  const objects = [installed, others].flatMap((text) => listAt(JSON.parse(text), "items")) as readonly Manifest[]; // kubectl's own lists.
  return new Map(
    objects.map(({ kind, metadata }) => [`${kind} ${metadata.namespace ?? ""}/${metadata.name}`, String(at(metadata, "resourceVersion"))]),
  );
}

export function changesIn(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): readonly string[] {
  const names = new Set([...before.keys(), ...now.keys()]);
  return [...names].filter((name) => before.get(name) !== now.get(name));
}

const WRITES = new Set(["create", "update", "patch", "delete", "deletecollection"]);
/** Objects that Flux and our processes write for themselves: leases, events, Flux's objects with their status. Dry runs store nothing. */
const OWN_STATE = /^(coordination\.k8s\.io\/leases|events|events\.k8s\.io\/events|kustomize\.toolkit\.fluxcd\.io\/.*)$/;

/** Requests of Flux and of our accounts that changed anything else, one per line. */
export function restWrites(entries: readonly AuditEntry[]): readonly string[] {
  return entries
    .filter(({ user }) => user === FLUX_USER || user.startsWith("system:serviceaccount:keyvault-injector:"))
    .filter(({ verb, uri, resource }) => WRITES.has(verb) && !uri.includes("dryRun=All") && !OWN_STATE.test(resource))
    .map(({ user, verb, resource, namespace, name }) => `${user} ${verb} ${resource} ${name} ${namespace}`);
}

/** Number of reconciles that the controller has finished, for all Kustomizations together. */
export async function roundsOf(plane: ControlPlane): Promise<number> {
  const text = await plane.kubectl(["get", "kustomizations", "-n", "flux-system", "-o", "json"]);
  const histories = listAt(JSON.parse(text), "items").flatMap((item) => listAt(item, "status", "history"));
  return histories.reduce<number>((sum, history) => sum + Number(at(history, "totalReconciliations")), 0);
}
