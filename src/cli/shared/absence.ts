import { OWN_DEPLOYMENT } from "../../domain/healing/components.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type Resource } from "../../domain/kubernetes.ts";
import { shell } from "../../domain/shell-words.ts";
import { nearestSpelling } from "../../domain/spelling.ts";
import { shownNames } from "../../domain/sync/shown-names.ts";
import { parseReference } from "../../domain/where/object-reference.ts";
import { isClass } from "../manifest/class-item.ts";
import { type ManifestItem, podPath } from "../manifest/items.ts";
import { CommandFailure } from "./command.ts";
import type { OptionValues } from "./options.ts";
import type { Binding } from "./rbac.ts";
import { installNamespace, MORE_RESOURCES, OWN_LABEL, targetResource } from "./resources.ts";
import { listed, skippingUnanswered, type Viewer, type ViewResult, valueIn } from "./viewer.ts";

export const NO_CLASSES_SERVED =
  "the API server serves no secretproviderclasses, so there are none: run keyvault-injector doctor to see what is not installed";

/**
 * Rejects a namespace that does not exist, because the output would otherwise say that nothing is wrong in it. Accepts the namespace if the
 * user may not get Namespaces.
 */
export async function assertNamespace(viewer: Viewer, name: string | undefined): Promise<void> {
  const problem = name === undefined ? undefined : await namespaceProblem(viewer, name);
  if (problem !== undefined) throw new CommandFailure(problem);
}

async function namespaceProblem(viewer: Viewer, name: string): Promise<string | undefined> {
  const reading = await viewer.object<KubeObject>(RESOURCES.namespaces, { name });
  if (reading.kind !== "absent") return undefined;
  return `namespace ${name} does not exist${meant(name, namesOf(listed(await viewer.all<KubeObject>(RESOURCES.namespaces))))}`;
}

/** Warns about namespaces of objects in files that neither exist nor are among the files. Says nothing of those that the user may not get. */
export async function absentNamespaceNotes(
  items: readonly ManifestItem[],
  defaultNamespace: string,
  viewer: Viewer | undefined,
): Promise<readonly string[]> {
  if (viewer === undefined) return [];
  const created = new Set(items.filter(({ kind }) => kind === "Namespace").map(({ name }) => name));
  const placed = items.filter((item) => isClass(item) || podPath(item.object) !== undefined);
  const names = new Set(placed.map(({ namespace = defaultNamespace }) => namespace).filter((name) => !created.has(name)));
  const answering = skippingUnanswered(viewer);
  const notes: string[] = [];
  for (const name of names) {
    const problem = await namespaceProblem(answering, name);
    const place = placed.some(({ namespace }) => namespace === name) ? "metadata.namespace" : "-n";
    if (problem !== undefined) notes.push(`warning: ${problem.replace(/[^?]$/, "$&.")} Create it first, or correct ${place}`);
  }
  return notes;
}

/**
 * Returns the namespace of the install. If the user names one, it must contain an install: otherwise, the defaults would be mistaken for
 * its settings. Accepts it if the user may not read Namespaces or Deployments.
 */
export async function installIn(viewer: Viewer, options: OptionValues): Promise<string> {
  const name = installNamespace(options);
  if (options["install-namespace"] === undefined) return name;
  const reading = await viewer.object<KubeObject>(RESOURCES.namespaces, { name });
  if (reading.kind === "absent") throw new CommandFailure(await installAbsence(viewer, name));
  const places = await installPlaces(viewer);
  const [other] = places;
  if (other === undefined || places.includes(name)) return name;
  throw new CommandFailure(`keyvault-injector is installed in ${other}, not in ${name}: write --install-namespace ${other}`);
}

/** Cluster-wide bindings of the worker. An install that serves only some namespaces has the second one alone. */
const WORKER_BINDINGS = [OWN_DEPLOYMENT, `${OWN_DEPLOYMENT}-cluster`];

export interface WorkerBinding {
  /** Name of the ClusterRoleBinding. */
  readonly binding: string;
  /** Namespace of a worker that it binds. */
  readonly namespace: string;
}

/** Returns what the worker's cluster-wide bindings bind; nothing if they do not exist. */
export async function readWorkerBindings(viewer: Viewer): Promise<ViewResult<readonly WorkerBinding[]>> {
  const readings = await Promise.all(WORKER_BINDINGS.map((name) => viewer.object<Binding>(RESOURCES.clusterRoleBindings, { name })));
  const bound = readings.flatMap((reading) => workersIn(valueIn(reading)));
  const unread = readings.find((reading) => reading.kind === "unseen" || reading.kind === "unserved");
  return bound.length === 0 && unread !== undefined ? unread : { kind: "seen", value: bound };
}

function workersIn(binding: Binding | undefined): readonly WorkerBinding[] {
  if (binding === undefined) return [];
  return (binding.subjects ?? []).flatMap(({ namespace }) =>
    namespace === undefined ? [] : [{ binding: binding.metadata.name, namespace }],
  );
}

/**
 * Returns the namespaces of installs. Goes by the cluster-wide binding of the worker, because tenants can create Deployments with the label
 * of an install, but no such binding. Goes by the Deployments that the user may list only if the user may not read the binding.
 */
export async function installPlaces(viewer: Viewer): Promise<readonly string[]> {
  const bindings = await readWorkerBindings(viewer);
  if (bindings.kind === "seen") return [...new Set(bindings.value.map(({ namespace }) => namespace))].sort();
  return namespacesOf(listed(await viewer.all<KubeObject>(MORE_RESOURCES.deployments, { labelSelector: OWN_LABEL })));
}

/** Returns the namespaces of the objects, each once and in order. */
export function namespacesOf(objects: readonly KubeObject[]): readonly string[] {
  return [...new Set(objects.map(({ metadata }) => metadata.namespace ?? ""))].sort();
}

/** Explains that the namespace of the install does not exist. */
export async function installAbsence(viewer: Viewer, name: string): Promise<string> {
  const [other] = await installPlaces(viewer);
  const advice =
    other === undefined
      ? "name the install's with --install-namespace"
      : `keyvault-injector is installed in ${other}: write --install-namespace ${other}`;
  return `namespace ${name} does not exist; ${advice}`;
}

/** Explains why a class was not found: its namespace does not exist, or the user means another class, or another object. */
export async function classAbsence(viewer: Viewer, { namespace, name }: Required<ObjectRef>): Promise<string> {
  const problem = await namespaceProblem(viewer, namespace);
  if (problem !== undefined) return otherObject(namespace, name) ?? problem;
  const reading = await viewer.all<KubeObject>(RESOURCES.secretProviderClasses, { namespace });
  const said = `SecretProviderClass ${namespace}/${name} does not exist`;
  const elsewhere = await namespacesOfClass(viewer, name);
  if (elsewhere.length > 0) return `${said}; did you mean ${anyOf(elsewhere.map((other) => `${other}/${name}`))}?`;
  const near = meant(name, namesOf(listed(reading)));
  if (near !== "") return `${said}${near}`;
  return reading.kind === "seen" ? `${said}; namespace ${namespace} has ${namesText(reading.value)}` : said;
}

/** Returns the namespaces that have a class with the name, as far as the user may list them. */
async function namespacesOfClass(viewer: Viewer, name: string): Promise<readonly string[]> {
  const found = listed(await viewer.all<KubeObject>(RESOURCES.secretProviderClasses, { fieldSelector: `metadata.name=${name}` }));
  return found.map(({ metadata }) => metadata.namespace ?? "").sort();
}

/** Maximum number of names in a message. */
const MOST_NAMES = 5;

/** Joins names as in "a, b or c". */
function anyOf(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  const all = more > 0 ? [...names.slice(0, MOST_NAMES), `one of ${more} more`] : names;
  return all.length < 2 ? all.join("") : `${all.slice(0, -1).join(", ")} or ${all.at(-1)}`;
}

function namesText(classes: readonly KubeObject[]): string {
  if (classes.length === 0) return "no classes";
  return someNames(namesOf(classes));
}

function namesOf(objects: readonly KubeObject[]): readonly string[] {
  return objects.map(({ metadata }) => metadata.name);
}

/** Joins the first names, and counts the others. */
export function someNames(unsorted: readonly string[]): string {
  return shownNames([...unsorted].sort(), MOST_NAMES);
}

/** Explains why an object was not found: its namespace does not exist, or the user means another object. */
export async function objectAbsence(viewer: Viewer, resource: Resource, { namespace, name }: Required<ObjectRef>): Promise<string> {
  const problem = await namespaceProblem(viewer, namespace);
  if (problem !== undefined) return problem;
  const said = `${resource.kind} ${name} does not exist in namespace ${namespace}`;
  const elsewhere = resource === RESOURCES.secretProviderClasses ? await namespacesOfClass(viewer, name) : [];
  if (elsewhere.length > 0) return `${said}; did you mean the one of ${anyOf(elsewhere.map((other) => `-n ${other}`))}?`;
  const near = meant(name, namesOf(listed(await viewer.all<KubeObject>(resource, { namespace }))));
  return `${said}${near === "" ? "; name another namespace with -n" : near}`;
}

/** Explains what `deployment/web` and `secret/db-pass` name, if no namespace has that name. */
function otherObject(kind: string, name: string): string | undefined {
  const word = `${kind}/${name}`;
  const resource = targetResource(kind);
  if (resource !== undefined)
    return `${JSON.stringify(word)} names a ${resource.kind}, not a class; write CLASS, NAMESPACE/CLASS or spc/CLASS`;
  if (!parseReference(word).ok) return undefined;
  return `${JSON.stringify(word)} names an object of a vault, not a class: ${shell`run keyvault-injector where ${word}`} to find its classes`;
}

/** Returns a question about the nearest of the names, to end a message; empty if none is near. */
export function meant(name: string, others: readonly string[]): string {
  const near = nearestSpelling(name, others);
  return near === undefined ? "" : `; did you mean ${near}?`;
}
