import { areTooManyDefaults, ownAnnotations } from "../../domain/annotation-keys.ts";
import { RESTART_ANNOTATIONS } from "../../domain/annotations.ts";
import { cutText } from "../../domain/cut-text.ts";
import { Groups } from "../../domain/groups.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { observeWorkload, type Workload } from "../../domain/rollout/workload.ts";
import { WORKLOADS, type WorkloadKind } from "../../domain/rollout/workload-kinds.ts";

/** Live workloads that may request restarts, and the defaults of their Namespaces. */
export interface RolloutWorkloads {
  /** Whether the Namespaces and all kinds are listed, except for kinds that the API server has not listed for long. */
  readonly hasSynced: boolean;
  /**
   * Kinds, in the plural, that the API server has not listed for long. The worker knows nothing about them, and everything about the
   * others.
   */
  readonly unlisted: readonly string[];
  /** Returns the namespaces that have workloads. */
  namespaces(): readonly string[];
  ofNamespace(namespace: string): readonly Workload[];
  /** Returns the project annotations of the Namespace. */
  defaultsOf(namespace: string): Readonly<Record<string, string>>;
}

export interface RolloutWorkloadsOptions {
  readonly watcher: KubeWatcher;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether to watch Rollouts of Argo Rollouts, too. If its CRD does not exist, there are none. */
  readonly watchesArgo: boolean;
  /** Called when a workload or a default of the namespace changes. */
  readonly onChange: (namespace: string) => void;
  /** Called when the workload no longer requests restarts or is gone. */
  readonly onGone: (uid: string) => void;
}

type Defaults = Readonly<Record<string, string>>;

const NONE: Defaults = {};

const BUILT_IN = ["Deployment", "StatefulSet", "DaemonSet"] as const satisfies readonly WorkloadKind[];

export function startRolloutWorkloads(options: RolloutWorkloadsOptions, signal: AbortSignal): RolloutWorkloads {
  const { watcher, onChange, watchesArgo } = options;
  const byNamespace = new Groups<Workload>();
  const kinds: readonly WorkloadKind[] = watchesArgo ? [...BUILT_IN, "Rollout"] : BUILT_IN;
  const lists = new Map(kinds.map((kind) => [kind, new AwaitedList(options, kind, watch(options, { kind, byNamespace }, signal))]));
  const isKnown = ({ kind }: Workload): boolean => lists.get(kind)?.state === "listed";
  const namespaces = watcher.reflect<Defaults>(
    {
      resource: RESOURCES.namespaces,
      project: defaultsIn,
      onChange: ({ name }) => {
        if (byNamespace.has(name)) onChange(name);
      },
    },
    signal,
  );
  const ofNamespaces = new AwaitedList(options, "Namespace", namespaces);
  return {
    get hasSynced() {
      const isAwaited = [...lists.values()].some(({ state }) => state === "awaited");
      return ofNamespaces.state === "listed" && !isAwaited;
    },
    get unlisted() {
      return [ofNamespaces, ...lists.values()].filter(({ state }) => state === "overdue").map(({ kind }) => `${kind}s`);
    },
    namespaces: () => byNamespace.names(),
    ofNamespace: (namespace) => byNamespace.of(namespace).filter(isKnown),
    defaultsOf: (namespace) => namespaces.get({ name: namespace }) ?? NONE,
  };
}

/**
 * Time in milliseconds for which the worker waits for a list. For example, a permission may be missing, or a webhook that converts the kind
 * may be down.
 */
const PATIENCE_MS = 60_000;

type AwaitedListOptions = Pick<RolloutWorkloadsOptions, "clock" | "logger">;

/** One kind, and since when the worker waits for its list. */
class AwaitedList {
  readonly kind: string;
  readonly #options: AwaitedListOptions;
  readonly #reflector: Pick<Reflector<unknown>, "hasSynced" | "isUnserved">;
  #since: number | undefined;
  #isReported = false;

  constructor(options: AwaitedListOptions, kind: string, reflector: Pick<Reflector<unknown>, "hasSynced" | "isUnserved">) {
    this.#options = options;
    this.kind = kind;
    this.#reflector = reflector;
  }

  /** State of the list. If the API server does not serve the kind, there are no objects of it. */
  get state(): "listed" | "unserved" | "awaited" | "overdue" {
    const { clock, logger } = this.#options;
    const { hasSynced, isUnserved } = this.#reflector;
    if (isUnserved || hasSynced) {
      this.#since = undefined;
      this.#isReported = false;
      return isUnserved ? "unserved" : "listed";
    }
    this.#since ??= clock.now();
    if (clock.now() - this.#since < PATIENCE_MS) return "awaited";
    if (!this.#isReported) logger.warn("restarts continue without a kind that cannot be listed", { kind: this.kind });
    this.#isReported = true;
    return "overdue";
  }
}

/**
 * Returns the project annotations of a Namespace; undefined if it has none. If there are too many, only a pause counts, which holds
 * restarts and begins none.
 */
export function defaultsIn({ metadata }: KubeObject): Defaults | undefined {
  const own = ownAnnotations(metadata.annotations);
  const { [RESTART_ANNOTATIONS.paused]: paused } = own;
  if (areTooManyDefaults(own)) return paused === undefined ? undefined : { [RESTART_ANNOTATIONS.paused]: cutText(paused, 16) };
  return Object.keys(own).length === 0 ? undefined : own;
}

interface Watched {
  readonly kind: WorkloadKind;
  readonly byNamespace: Groups<Workload>;
}

function watch(
  { watcher, onChange, onGone }: RolloutWorkloadsOptions,
  { kind, byNamespace }: Watched,
  signal: AbortSignal,
): Reflector<Workload> {
  const hasKind = (namespace: string): boolean => byNamespace.of(namespace).some((workload) => workload.kind === kind);
  return watcher.reflect<Workload>(
    {
      resource: WORKLOADS[kind],
      project: (object) => observeWorkload(kind, object),
      onChange: ({ namespace = "", name }, { previous, current }) => {
        const key = `${kind}/${name}`;
        if (current === undefined) byNamespace.delete(namespace, key);
        else byNamespace.set(namespace, key, current);
        if (previous !== undefined && previous.uid !== current?.uid) onGone(previous.uid);
        onChange(namespace);
      },
      // A kind that was not listed for a while and is unchanged causes no event, although its workloads were left out in the meantime.
      observer: { listed: () => byNamespace.names().filter(hasKind).forEach(onChange) },
    },
    signal,
  );
}
