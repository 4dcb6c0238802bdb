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

/** Live workloads that may ask for restarts, and what their Namespaces say for them. */
export interface RolloutWorkloads {
  /** Something can be told: all kinds are listed, but for those that the API server has not listed for long. */
  readonly hasSynced: boolean;
  /** What the API server has not listed for long, in the plural; nothing is known of it, and of the others all. */
  readonly unlisted: readonly string[];
  /** Those with workloads. */
  namespaces(): readonly string[];
  ofNamespace(namespace: string): readonly Workload[];
  /** Annotations of ours on the Namespace. */
  defaultsOf(namespace: string): Readonly<Record<string, string>>;
}

export interface RolloutWorkloadsOptions {
  readonly watcher: KubeWatcher;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Also Rollouts of Argo Rollouts; where no CRD of it is there, there are none. */
  readonly watchesArgo: boolean;
  /** Something of the namespace changed. */
  readonly onChange: (namespace: string) => void;
  /** The workload does not ask any more, or is gone. */
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

/** A list that is not there for longer is not waited for: a right is missing, say, or a webhook that converts the kind is down (milliseconds). */
const PATIENCE_MS = 60_000;

type AwaitedListOptions = Pick<RolloutWorkloadsOptions, "clock" | "logger">;

/** One kind, and since when its list is waited for. */
class AwaitedList {
  readonly kind: string;
  readonly #options: AwaitedListOptions;
  readonly #reflector: Pick<Reflector<unknown>, "hasSynced" | "isUnserved">;
  #since: number | undefined;
  #isTold = false;

  constructor(options: AwaitedListOptions, kind: string, reflector: Pick<Reflector<unknown>, "hasSynced" | "isUnserved">) {
    this.#options = options;
    this.kind = kind;
    this.#reflector = reflector;
  }

  /** What the API server does not serve there is none of. */
  get state(): "listed" | "unserved" | "awaited" | "overdue" {
    const { clock, logger } = this.#options;
    const { hasSynced, isUnserved } = this.#reflector;
    if (isUnserved || hasSynced) {
      this.#since = undefined;
      this.#isTold = false;
      return isUnserved ? "unserved" : "listed";
    }
    this.#since ??= clock.now();
    if (clock.now() - this.#since < PATIENCE_MS) return "awaited";
    if (!this.#isTold) logger.warn("restarts continue without a kind that cannot be listed", { kind: this.kind });
    this.#isTold = true;
    return "overdue";
  }
}

/** Annotations of ours on a Namespace; undefined where it has none. Of too many only a pause counts, which holds back and begins nothing. */
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
      // A kind that comes back unchanged has no change to tell: its workloads were left out meanwhile.
      observer: { listed: () => byNamespace.names().filter(hasKind).forEach(onChange) },
    },
    signal,
  );
}
