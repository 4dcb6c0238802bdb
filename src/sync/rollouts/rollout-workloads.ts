import { PREFIX } from "../../domain/annotations.ts";
import { Groups } from "../../domain/groups.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import { observeWorkload, WORKLOADS, type Workload, type WorkloadKind } from "../../domain/rollout/workload.ts";

/** Live workloads that may ask for restarts, and what their Namespaces say for them. */
export interface RolloutWorkloads {
  readonly hasSynced: boolean;
  /** Those with workloads. */
  namespaces(): readonly string[];
  ofNamespace(namespace: string): readonly Workload[];
  /** Annotations of ours on the Namespace. */
  defaultsOf(namespace: string): Readonly<Record<string, string>>;
}

export interface RolloutWorkloadsOptions {
  readonly watcher: KubeWatcher;
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
  const reflectors = BUILT_IN.map((kind) => watch(options, { kind, byNamespace }, signal));
  const argo = watchesArgo ? watch(options, { kind: "Rollout", byNamespace }, signal) : undefined;
  const isServed = ({ kind }: Workload): boolean => kind !== "Rollout" || argo?.isUnserved === false;
  const namespaces = watcher.reflect<Defaults>(
    {
      resource: RESOURCES.namespaces,
      project: ({ metadata }) => {
        const own = Object.entries(metadata.annotations ?? {}).filter(([key]) => key.startsWith(`${PREFIX}/`));
        return own.length === 0 ? undefined : Object.fromEntries(own);
      },
      onChange: ({ name }) => {
        if (byNamespace.has(name)) onChange(name);
      },
    },
    signal,
  );
  return {
    get hasSynced() {
      const hasArgo = argo === undefined || argo.hasSynced || argo.isUnserved;
      return hasArgo && namespaces.hasSynced && reflectors.every(({ hasSynced }) => hasSynced);
    },
    namespaces: () => byNamespace.names(),
    ofNamespace: (namespace) => byNamespace.of(namespace).filter(isServed),
    defaultsOf: (namespace) => namespaces.get({ name: namespace }) ?? NONE,
  };
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
    },
    signal,
  );
}
