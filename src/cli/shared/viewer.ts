import type { KubeObject, ObjectRef, Resource } from "../../domain/kubernetes.ts";
import type { KubeClient, ListOptions, ListRequest, ReadResult } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { accessOf, type Cluster, type CommandContext, CommandFailure } from "./command.ts";
import type { OptionValues } from "./options.ts";

/** Result of a read. `unseen`: the user lacks the permission in `why`. `unserved`: the API server does not serve the kind. */
export type Look<T> =
  | { readonly kind: "seen"; readonly value: T }
  | { readonly kind: "absent" }
  | { readonly kind: "unserved" }
  | { readonly kind: "unseen"; readonly why: string };

/** Returns the value; undefined if there is none, or the user may not read it. */
export function valueIn<T>(look: Look<T>): T | undefined {
  return look.kind === "seen" ? look.value : undefined;
}

/** Returns the items of a list; none if the user may not list them. */
export function listed<T>(look: Look<readonly T[]>): readonly T[] {
  return valueIn(look) ?? [];
}

/**
 * Reads objects with the user's permissions. Throws {@link CommandFailure} for errors other than a missing permission or kind, such as no
 * answer, or credentials that the API server rejects.
 */
export interface Viewer {
  object<T extends KubeObject>(resource: Resource, ref: ObjectRef): Promise<Look<T>>;
  /** For the annotations of a Secret: the API server does not send its values. */
  metadata(resource: Resource, ref: ObjectRef): Promise<Look<KubeObject>>;
  all<T extends KubeObject>(resource: Resource, options?: ListOptions): Promise<Look<readonly T[]>>;
}

export function createViewer({ kube }: Pick<Cluster, "kube">, signal: AbortSignal): Viewer {
  const one = <T extends KubeObject>(resource: Resource, ref: ObjectRef, read: () => Promise<ReadResult<T>>): Promise<Look<T>> =>
    looking<T>(`get ${resource.plural} ${[ref.namespace, ref.name].filter(Boolean).join("/")}`, async () => {
      const result = await read();
      return result.kind === "found" ? { kind: "seen", value: result.object } : { kind: result.kind };
    });
  return {
    object: <T extends KubeObject>(resource: Resource, ref: ObjectRef) => one<T>(resource, ref, () => kube.read<T>(resource, ref, signal)),
    metadata: (resource, ref) => one(resource, ref, () => kube.readMetadata(resource, ref, signal)),
    all: <T extends KubeObject>(resource: Resource, options: ListOptions = {}) =>
      looking<readonly T[]>(`list ${resource.plural}${options.namespace === undefined ? "" : ` in ${options.namespace}`}`, async () => ({
        kind: "seen",
        value: await kube.list<T>(resource, options, signal),
      })),
  };
}

/** Lists all objects of a kind, and keeps of each only what `keep` returns when it arrives, for lists of thousands. */
export function lookAtMany<T extends KubeObject>(
  kube: KubeClient,
  resource: Resource,
  request: ListRequest<T>,
  signal: AbortSignal,
): Promise<Look<readonly T[]>> {
  const where = request.namespace === undefined ? "" : ` in ${request.namespace}`;
  return looking<readonly T[]>(`list ${resource.plural}${where}`, async () => ({
    kind: "seen",
    value: await kube.list<T>(resource, request, signal),
  }));
}

/** Makes each request once, and gives all callers the same answer. */
export function rememberingViewer(viewer: Viewer): Viewer {
  const known = new Map<string, Promise<Look<unknown>>>();
  const once = <T>(question: object, look: () => Promise<Look<T>>): Promise<Look<T>> => {
    const key = JSON.stringify(question);
    const asked = known.get(key) ?? look();
    known.set(key, asked);
    return asked as Promise<Look<T>>; // The answer belongs to the same request.
  };
  return {
    object: <T extends KubeObject>(resource: Resource, ref: ObjectRef) => once({ resource, ref }, () => viewer.object<T>(resource, ref)),
    metadata: (resource, ref) => once({ resource, ref, isMetadata: true }, () => viewer.metadata(resource, ref)),
    all: <T extends KubeObject>(resource: Resource, options: ListOptions = {}) =>
      once({ resource, options }, () => viewer.all<T>(resource, options)),
  };
}

/** A read that the user lacks permission for. */
export interface RefusedLook {
  readonly resource: Resource;
  /** Without a name: all objects of the namespace, or of the cluster. */
  readonly ref: Partial<ObjectRef>;
}

/** Reports each refusal when it occurs. */
export function tellingRefusals(viewer: Viewer, tell: (refusal: RefusedLook) => void): Viewer {
  const told = async <T>(refusal: RefusedLook, look: Promise<Look<T>>): Promise<Look<T>> => {
    const answer = await look;
    if (answer.kind === "unseen") tell(refusal);
    return answer;
  };
  return {
    object: <T extends KubeObject>(resource: Resource, ref: ObjectRef) => told({ resource, ref }, viewer.object<T>(resource, ref)),
    metadata: (resource, ref) => told({ resource, ref }, viewer.metadata(resource, ref)),
    all: <T extends KubeObject>(resource: Resource, options: ListOptions = {}) =>
      told({ resource, ref: options.namespace === undefined ? {} : { namespace: options.namespace } }, viewer.all<T>(resource, options)),
  };
}

async function looking<T>(what: string, look: () => Promise<Look<T>>): Promise<Look<T>> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.code === "Forbidden") return { kind: "unseen", why: `you lack permission to ${what}` };
    if (error.code === "NotFound") return { kind: "unserved" };
    throw new CommandFailure(failureText(error), { cause: error });
  }
}

export function failureText(error: KubeError): string {
  if (error.code === "Unauthorized") return "the API server does not accept the kubeconfig's credentials; sign in again";
  return error.code === "Unavailable" && !error.isUnsent
    ? `${error.message}; check the kubeconfig's server, or the network`
    : error.message;
}

/** Advice of the client for the worker and the webhook. On the command line, the API server refuses the user, so it does not apply. */
const ADVICE_TO_US = / \(grant this verb to our ServiceAccount[^)]*\)$/;

/** Whether the user lacks a permission. A policy or a webhook also answers `Forbidden`, to users who have every permission. */
export function lacksPermission({ code, refuser }: KubeError): boolean {
  return code === "Forbidden" && (refuser === undefined || refuser.kind === "rights");
}

/** Explains why a command could not do something with the user's own permissions. `what`: `get namespaces NAME`. */
export function whyNot(what: string, error: KubeError): string {
  if (lacksPermission(error)) return `you lack permission to ${what}`;
  return `could not ${what}: ${failureText(error).replace(ADVICE_TO_US, "")}`;
}

/** Returns the same explanation with advice, for commands that fail with it. */
export function refusalText(what: string, error: KubeError): string {
  return `${whyNot(what, error)}${lacksPermission(error) ? "; ask for it" : ""}`;
}

/** Reads one object, also for users who may list its kind but not get it, such as the worker's own account. */
export async function lookUp<T extends KubeObject>(viewer: Viewer, resource: Resource, ref: Required<ObjectRef>): Promise<Look<T>> {
  const look = await viewer.object<T>(resource, ref);
  if (look.kind !== "unseen") return look;
  const listed = await viewer.all<T>(resource, { namespace: ref.namespace, fieldSelector: `metadata.name=${ref.name}` });
  if (listed.kind !== "seen") return look;
  const [first] = listed.value;
  return first === undefined ? { kind: "absent" } : { kind: "seen", value: first };
}

/**
 * Opens the cluster for commands that can also work with files alone. If the user names a kubeconfig or a context, a failure to open it is
 * an error; otherwise, it is only a note.
 */
export async function openIfConfigured(
  context: CommandContext,
  options: OptionValues,
): Promise<{ readonly cluster: Cluster | undefined; readonly notes: readonly string[] }> {
  if (options.offline !== undefined) return { cluster: undefined, notes: [] };
  const access = accessOf(options);
  const isNamed = access.kubeconfig !== undefined || access.context !== undefined;
  try {
    return { cluster: await context.openCluster(access), notes: [] };
  } catch (error) {
    if (isNamed || !(error instanceof CommandFailure)) throw error;
    return { cluster: undefined, notes: [`note: no cluster is contacted, as with --offline: ${error.message}`] };
  }
}
