import type { KubeObject, ObjectRef, Resource } from "../../domain/kubernetes.ts";
import type { KubeClient, ListOptions, ListRequest, ReadResult } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { accessOf, type Cluster, type CommandContext, CommandFailure } from "./command.ts";
import type { OptionValues } from "./options.ts";
import { isUnansweredFailure } from "./repeated-reads.ts";

/**
 * Result of a read. `unseen`: the user lacks the permission in `why`, or the API server could not answer (`isUnanswered`), which only
 * {@link skippingUnanswered} returns. `unserved`: the API server does not serve the kind.
 */
export type ViewResult<T> =
  | { readonly kind: "seen"; readonly value: T }
  | { readonly kind: "absent" }
  | { readonly kind: "unserved" }
  | { readonly kind: "unseen"; readonly why: string; readonly isUnanswered?: true };

/** Returns the value; undefined if there is none, or the user may not read it. */
export function valueIn<T>(reading: ViewResult<T>): T | undefined {
  return reading.kind === "seen" ? reading.value : undefined;
}

/** Returns the items of a list; none if the user may not list them. */
export function listed<T>(reading: ViewResult<readonly T[]>): readonly T[] {
  return valueIn(reading) ?? [];
}

/**
 * Reads objects with the user's permissions. Throws {@link CommandFailure} for errors other than a missing permission or kind, such as no
 * answer, credentials that the API server rejects, or an impersonation that it does not allow.
 */
export interface Viewer {
  object<T extends KubeObject>(resource: Resource, ref: ObjectRef): Promise<ViewResult<T>>;
  /** For the annotations of a Secret: the API server does not send its values. */
  metadata(resource: Resource, ref: ObjectRef): Promise<ViewResult<KubeObject>>;
  all<T extends KubeObject>(resource: Resource, options?: ListOptions): Promise<ViewResult<readonly T[]>>;
}

export function createViewer({ kube }: Pick<Cluster, "kube">, signal: AbortSignal): Viewer {
  const one = <T extends KubeObject>(resource: Resource, ref: ObjectRef, read: () => Promise<ReadResult<T>>): Promise<ViewResult<T>> =>
    attempt<T>(`get ${resource.plural} ${[ref.namespace, ref.name].filter(Boolean).join("/")}`, async () => {
      const result = await read();
      return result.kind === "found" ? { kind: "seen", value: result.object } : { kind: result.kind };
    });
  return {
    object: <T extends KubeObject>(resource: Resource, ref: ObjectRef) => one<T>(resource, ref, () => kube.read<T>(resource, ref, signal)),
    metadata: (resource, ref) => one(resource, ref, () => kube.readMetadata(resource, ref, signal)),
    all: <T extends KubeObject>(resource: Resource, options: ListOptions = {}) => readMany<T>(kube, resource, options, signal),
  };
}

/** Lists all objects of a kind, and keeps of each only what `keep` returns when it arrives, for lists of thousands. */
export function readMany<T extends KubeObject>(
  kube: KubeClient,
  resource: Resource,
  request: ListRequest<T>,
  signal: AbortSignal,
): Promise<ViewResult<readonly T[]>> {
  const where = request.namespace === undefined ? "" : ` in ${request.namespace}`;
  return attempt<readonly T[]>(`list ${resource.plural}${where}`, async () => ({
    kind: "seen",
    value: await kube.list<T>(resource, request, signal),
  }));
}

/** Makes each request once, and gives all callers the same answer. */
export function rememberingViewer(viewer: Viewer): Viewer {
  const known = new Map<string, Promise<ViewResult<unknown>>>();
  const once = <T>(question: object, read: () => Promise<ViewResult<T>>): Promise<ViewResult<T>> => {
    const key = JSON.stringify(question);
    const asked = known.get(key) ?? read();
    known.set(key, asked);
    return asked as Promise<ViewResult<T>>; // The answer belongs to the same request.
  };
  return {
    object: <T extends KubeObject>(resource: Resource, ref: ObjectRef) => once({ resource, ref }, () => viewer.object<T>(resource, ref)),
    metadata: (resource, ref) => once({ resource, ref, isMetadata: true }, () => viewer.metadata(resource, ref)),
    all: <T extends KubeObject>(resource: Resource, options: ListOptions = {}) =>
      once({ resource, options }, () => viewer.all<T>(resource, options)),
  };
}

/** A read that the user lacks permission for. */
export interface RefusedReading {
  readonly resource: Resource;
  /** Without a name: all objects of the namespace, or of the cluster. */
  readonly ref: Partial<ObjectRef>;
}

/** Returns the viewer, and calls `see` with every answer. */
function showingAnswers(viewer: Viewer, see: (answer: ViewResult<unknown>, request: RefusedReading) => void): Viewer {
  const seen = async <T>(request: RefusedReading, reading: Promise<ViewResult<T>>): Promise<ViewResult<T>> => {
    const answer = await reading;
    see(answer, request);
    return answer;
  };
  return {
    object: <T extends KubeObject>(resource: Resource, ref: ObjectRef) => seen({ resource, ref }, viewer.object<T>(resource, ref)),
    metadata: (resource, ref) => seen({ resource, ref }, viewer.metadata(resource, ref)),
    all: <T extends KubeObject>(resource: Resource, options: ListOptions = {}) =>
      seen({ resource, ref: options.namespace === undefined ? {} : { namespace: options.namespace } }, viewer.all<T>(resource, options)),
  };
}

/** Reports each refusal when it occurs. */
export function reportingRefusals(viewer: Viewer, report: (refusal: RefusedReading) => void): Viewer {
  return showingAnswers(viewer, (answer, request) => {
    if (answer.kind === "unseen" && answer.isUnanswered !== true) report(request);
  });
}

/** Reports why the API server could not answer, for each such read. */
export function reportingUnanswered(viewer: Viewer, report: (why: string) => void): Viewer {
  return showingAnswers(viewer, (answer) => {
    if (answer.kind === "unseen" && answer.isUnanswered === true) report(answer.why);
  });
}

/**
 * Returns a read that the API server could not answer as `unseen`, so that it does not end a command that makes many. After a read without
 * any answer, makes no further requests, because each would take as long.
 */
export function skippingUnanswered(viewer: Viewer): Viewer {
  let silence: string | undefined;
  const answered = async <T>(read: () => Promise<ViewResult<T>>): Promise<ViewResult<T>> => {
    if (silence !== undefined) return { kind: "unseen", why: silence, isUnanswered: true };
    try {
      return await read();
    } catch (error) {
      if (!isUnansweredFailure(error)) throw error;
      if (error.cause instanceof KubeError && error.cause.status === undefined) silence = error.message;
      return { kind: "unseen", why: error.message, isUnanswered: true };
    }
  };
  return {
    object: <T extends KubeObject>(resource: Resource, ref: ObjectRef) => answered(() => viewer.object<T>(resource, ref)),
    metadata: (resource, ref) => answered(() => viewer.metadata(resource, ref)),
    all: <T extends KubeObject>(resource: Resource, options?: ListOptions) => answered(() => viewer.all<T>(resource, options)),
  };
}

async function attempt<T>(what: string, read: () => Promise<ViewResult<T>>): Promise<ViewResult<T>> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.code === "Forbidden" && impersonationIn(error) === undefined)
      return { kind: "unseen", why: `you lack permission to ${what}` };
    if (error.code === "NotFound") return { kind: "unserved" };
    throw new CommandFailure(failureText(error), { cause: error });
  }
}

/** Returns who lacks permission to act as the user that the kubeconfig names, which makes every request fail. */
function impersonationIn({ refuser }: KubeError): { readonly by: string; readonly of: string } | undefined {
  return refuser?.kind === "rights" ? refuser.impersonation : undefined;
}

export function failureText(error: KubeError): string {
  const impersonation = impersonationIn(error);
  if (impersonation !== undefined) {
    const { by, of } = impersonation;
    return `${by} lacks permission to impersonate ${of} (as in the kubeconfig); ask for permission to impersonate, or correct the kubeconfig's user`;
  }
  if (error.code === "Unauthorized") return "the API server does not accept the kubeconfig's credentials; sign in again";
  return error.code === "Unavailable" && !error.isUnsent
    ? `${error.message}; check the kubeconfig's server, or the network`
    : error.message;
}

/** Advice of the client for the worker and the webhook. On the command line, the API server refuses the user, so it does not apply. */
const ADVICE_TO_US = / \(grant the ServiceAccount this permission[^)]*\)$/;

/** Explains why a command could not do something with the user's own permissions. `what`: `get namespaces NAME`. */
export function whyNot(what: string, error: KubeError): string {
  if (error.lacksPermission) return `you lack permission to ${what}`;
  return `could not ${what}: ${failureText(error).replace(ADVICE_TO_US, "")}`;
}

/** Returns the same explanation with advice, for commands that fail with it. */
export function refusalText(what: string, error: KubeError): string {
  if (impersonationIn(error) !== undefined) return failureText(error);
  return `${whyNot(what, error)}${error.lacksPermission ? "; ask for it" : ""}`;
}

/** Reads one object, also for users who may list its kind but not get it, such as the worker's own account. */
export async function lookUp<T extends KubeObject>(viewer: Viewer, resource: Resource, ref: Required<ObjectRef>): Promise<ViewResult<T>> {
  const reading = await viewer.object<T>(resource, ref);
  if (reading.kind !== "unseen") return reading;
  const listed = await viewer.all<T>(resource, { namespace: ref.namespace, fieldSelector: `metadata.name=${ref.name}` });
  if (listed.kind !== "seen") return reading;
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
