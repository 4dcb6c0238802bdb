import { type KubeObject, RESOURCES, type Resource } from "../../domain/kubernetes.ts";
import type { KubeClient, ListRequest } from "../../domain/ports/kube-client.ts";
import { NO_CLASSES_SERVED } from "../shared/absence.ts";
import { CommandFailure } from "../shared/command.ts";
import { readMany, type ViewResult } from "../shared/viewer.ts";

/** Maximum number of namespaces to list one at a time, for users who may not list a kind in all namespaces. */
const MOST_NAMESPACES = 500;

/** Maximum number of concurrent lists, because the API server serves other users, too. */
const LISTS_AT_A_TIME = 4;

/** Up to this many namespaces, the command lists one at a time, because a list of all namespaces sends thousands of objects. */
export const FEW_NAMESPACES = 3;

/** Objects of one kind, and the namespaces whose objects could not be read. */
export interface Part<T> {
  readonly items: readonly T[];
  /** Reason for each namespace whose objects could not be read. */
  readonly unseen: ReadonlyMap<string, string>;
}

export interface PartRequest<T extends KubeObject> {
  readonly resource: Resource;
  readonly options: Omit<ListRequest<T>, "namespace">;
}

export interface ClusterListing {
  readonly kube: KubeClient;
  readonly signal: AbortSignal;
}

/** Namespaces to read. `all`: every one, with one list if the user may. */
export type Scope =
  | { readonly kind: "all"; readonly fallback: readonly string[] }
  | { readonly kind: "named"; readonly names: readonly string[] };

/** Lists one kind. If the API server does not serve the kind, its objects are unseen in every namespace. */
export async function listPart<T extends KubeObject>(
  { kube, signal }: ClusterListing,
  request: PartRequest<T>,
  scope: Scope,
): Promise<Part<T>> {
  const { resource, options } = request;
  const listIn = (namespace?: string): Promise<ViewResult<readonly T[]>> =>
    readMany<T>(kube, resource, { ...options, ...(namespace === undefined ? {} : { namespace }) }, signal);
  if (scope.kind === "all") {
    const everywhere = await listIn();
    if (everywhere.kind === "seen") return { items: everywhere.value, unseen: new Map() };
  }
  const names = scope.kind === "all" ? scope.fallback : scope.names;
  const items: T[] = [];
  const unseen = new Map<string, string>();
  await inTurns(names, async (namespace) => {
    const found = await listIn(namespace);
    if (found.kind === "seen") for (const item of found.value) items.push(item);
    else unseen.set(namespace, found.kind === "unseen" ? found.why : `the API server serves no ${resource.plural}`);
  });
  return { items, unseen };
}

async function inTurns(names: readonly string[], act: (name: string) => Promise<void>): Promise<void> {
  const waiting = [...names];
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await act(name);
  };
  await Promise.all(Array.from({ length: Math.min(LISTS_AT_A_TIME, names.length) }, worker));
}

interface ListedClasses<T> extends Part<T> {
  /** Notes for the user about the namespaces that were listed. */
  readonly notes: readonly string[];
  /** Why no list of classes could be read; undefined if one could. */
  readonly refusal: string | undefined;
}

/**
 * Lists classes, on which everything else depends. If the user may not list them in all namespaces, lists each namespace, or only the
 * kubeconfig's if the user may not list Namespaces.
 */
export async function listClasses<T extends KubeObject>(
  listing: ClusterListing,
  keep: (object: T) => T,
  within: string | undefined,
  current: string,
): Promise<ListedClasses<T>> {
  const request: PartRequest<T> = { resource: RESOURCES.secretProviderClasses, options: { keep } };
  const options = within === undefined ? request.options : { ...request.options, namespace: within };
  const all = await readMany<T>(listing.kube, request.resource, options, listing.signal);
  if (all.kind === "seen") return { items: all.value, unseen: new Map(), notes: [], refusal: undefined };
  if (all.kind !== "unseen") throw new CommandFailure(NO_CLASSES_SERVED);
  if (within !== undefined) return { items: [], unseen: new Map([[within, all.why]]), notes: [], refusal: all.why };
  const { names, notes } = await namespacesOf(listing, current);
  const part = await listPart(listing, request, { kind: "named", names });
  return { ...part, notes, refusal: part.unseen.size < names.length ? undefined : refusalIn(names) };
}

function refusalIn(names: readonly string[]): string {
  const place = names.length === 1 ? names.join("") : `any of ${names.length} namespaces`;
  return `you lack permission to list ${RESOURCES.secretProviderClasses.plural} in ${place}`;
}

async function namespacesOf(
  { kube, signal }: ClusterListing,
  current: string,
): Promise<{ readonly names: readonly string[]; readonly notes: readonly string[] }> {
  const bare = ({ apiVersion, kind, metadata: { name } }: KubeObject): KubeObject => ({ apiVersion, kind, metadata: { name } });
  const reading = await readMany<KubeObject>(kube, RESOURCES.namespaces, { keep: bare }, signal);
  if (reading.kind !== "seen") {
    return {
      names: [current],
      notes: [`you lack permission to list classes and namespaces cluster-wide: only namespace ${current} is listed; use -n for another`],
    };
  }
  const names = reading.value.map(({ metadata }) => metadata.name).sort();
  const left = names.length - MOST_NAMESPACES;
  const notes =
    left > 0
      ? [
          `you lack permission to list classes cluster-wide: the first ${MOST_NAMESPACES} namespaces are listed, ${left} ${left === 1 ? "is" : "are"} not; use -n for one namespace`,
        ]
      : [];
  return { names: names.slice(0, MOST_NAMESPACES), notes };
}
