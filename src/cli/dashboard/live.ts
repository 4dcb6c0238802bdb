import { isDeepStrictEqual } from "node:util";
import type { KubeObject, ObjectRef } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeError } from "../../domain/ports/kube-error.ts";
import type { KubeWatcher, ReflectorOptions } from "../../domain/ports/kube-watcher.ts";
import { failureText } from "../shared/viewer.ts";

/** Dependencies and scope of the watches. */
export interface Watching {
  readonly watcher: KubeWatcher;
  readonly clock: Clock;
  /** The only namespace to watch; undefined: all. */
  readonly within: string | undefined;
  /** Namespace to watch instead if the user may not list a kind in all namespaces. */
  readonly fallback: string;
  /** Called when something that a page shows has changed. */
  readonly onNews: () => void;
  readonly signal: AbortSignal;
}

/** Reason why the copy of a kind is incomplete or may be out of date. Times are Unix milliseconds. */
export type LiveTrouble =
  | { readonly kind: "loading" }
  | { readonly kind: "unserved" }
  /** The API server refuses the request, or returns an unexpected error. `hasOlder`: the page still shows the earlier objects. */
  | { readonly kind: "refused"; readonly why: string; readonly hasOlder: boolean }
  | { readonly kind: "lost"; readonly since: number; readonly why: string };

/** Live copy of one kind, as far as the user may see it. */
export interface LiveKind<T> {
  readonly plural: string;
  list(): readonly T[];
  get(ref: ObjectRef): T | undefined;
  trouble(): LiveTrouble | undefined;
  /** The only namespace that is watched, because the user may not list the kind in all namespaces. */
  narrowedTo(): string | undefined;
  /** Returns undefined if the objects of the namespace are known, and otherwise the reason why not. */
  unseen(namespace: string): string | undefined;
}

export interface KindRequest<T> extends Pick<ReflectorOptions<T>, "resource" | "labelSelector" | "fieldSelector" | "metadataOnly"> {
  /** Namespace of a kind that is watched in one namespace only. */
  readonly namespace?: string;
  readonly project: (object: KubeObject) => T | undefined;
  /** Whether pages look the same for both objects; by default, only if both are equal. */
  readonly isSame?: (one: T | undefined, other: T | undefined) => boolean;
}

interface Failure {
  readonly error: KubeError;
  /** Time of the first failure of an uninterrupted series. */
  readonly since: number;
  /** `lastActivity` of the copy before the failure. If it differs now, the API server has answered since. */
  readonly heardBefore: number;
}

export function followKind<T>(watching: Watching, request: KindRequest<T>): LiveKind<T> {
  const { watcher, clock, signal, onNews } = watching;
  const { namespace, isSame = isDeepStrictEqual, ...wanted } = request;
  const { plural } = request.resource;
  const asked = namespace ?? watching.within;
  let narrowed: string | undefined;
  let failure: Failure | undefined;
  let stop = new AbortController();
  const current = (): Failure | undefined => (copy.lastActivity === failure?.heardBefore ? failure : undefined);
  const follow = () => {
    const within = narrowed ?? asked;
    const place = within === undefined ? {} : { namespace: within };
    const onChange: ReflectorOptions<T>["onChange"] = (_, { previous, current: now }) => {
      if (!isSame(previous, now)) onNews();
    };
    return watcher.reflect({ ...wanted, ...place, onChange, observer: { listed: onNews, failed } }, AbortSignal.any([signal, stop.signal]));
  };
  const failed = (error: KubeError): void => {
    failure = { error, since: current()?.since ?? clock.now(), heardBefore: copy.lastActivity };
    // Does not narrow a copy that has synced before: an API server that starts may refuse for a moment what it grants later.
    if (error.code === "Forbidden" && asked === undefined && narrowed === undefined && !copy.hasSynced) {
      narrowed = watching.fallback;
      failure = undefined;
      stop.abort();
      stop = new AbortController();
      copy = follow();
    }
    onNews();
  };
  let copy = follow();
  const trouble = (): LiveTrouble | undefined => {
    if (copy.isUnserved) return { kind: "unserved" };
    const failed = current();
    if (failed !== undefined) return troubleOf(failed, { plural, namespace: narrowed ?? asked, hasOlder: copy.hasSynced });
    return copy.hasSynced ? undefined : { kind: "loading" };
  };
  return {
    plural,
    list: () => copy.list(),
    get: (ref) => copy.get(ref),
    trouble,
    narrowedTo: () => narrowed,
    unseen: (inside) => {
      if (narrowed !== undefined && narrowed !== inside) return `you lack permission to list ${plural} in ${inside}`;
      const known = trouble();
      if (known === undefined || known.kind === "lost" || (known.kind === "refused" && known.hasOlder)) return undefined;
      return known.kind === "refused" ? known.why : `no ${plural} are known`;
    },
  };
}

interface Watched {
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly hasOlder: boolean;
}

function troubleOf({ error, since }: Failure, { plural, namespace, hasOlder }: Watched): LiveTrouble {
  if (error.code === "Unavailable") return { kind: "lost", since, why: failureText(error) };
  const where = namespace === undefined ? "" : ` in ${namespace}`;
  if (error.code === "Forbidden") return { kind: "refused", why: `you lack permission to list and watch ${plural}${where}`, hasOlder };
  return { kind: "refused", why: failureText(error), hasOlder };
}
