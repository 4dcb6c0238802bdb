import { CSI_DRIVER } from "../../domain/injection/settings.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { LONGEST_SUBDOMAIN } from "../../domain/kubernetes-names.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";

/** The part of a pod that concerns the classes it mounts. The worker drops the rest of the pod on arrival. */
interface Consumer {
  readonly account: string;
  /** Whether its containers have ended for good, so that the pod no longer holds a volume. */
  readonly hasEnded: boolean;
  readonly mounts: readonly Mount[];
}

interface Mount {
  readonly className: string;
  readonly credentialsSecret: string | undefined;
}

/** Pods whose CSI volumes name a class. */
export interface Consumers {
  /** State of the watch of pods. */
  readonly watch: Pick<Reflector<unknown>, "hasSynced" | "lastActivity" | "unbrokenSince" | "isFollowed">;
  /** Distinct names in `nodePublishSecretRef` of the pods that mount `namespace/name`. */
  credentialsSecretsOf(classKey: string): readonly string[];
  /** Distinct ServiceAccounts of the pods that mount `namespace/name`. */
  accountsOf(classKey: string): readonly string[];
  /** Whether a pod that has not ended mounts the class, or is about to mount it. */
  isUsed(classKey: string): boolean;
}

export interface ConsumersOptions {
  readonly watcher: KubeWatcher;
  /** Called when the first pod that uses the class appears, or the last one ends or disappears. */
  readonly onUseChanged: (classKey: string, isUsed: boolean) => void;
  /** Called when the names of ServiceAccounts or credentials Secrets that the pods of the class use become others. */
  readonly onIdentitiesChanged: (classKey: string) => void;
}

export function startConsumers({ watcher, onUseChanged, onIdentitiesChanged }: ConsumersOptions, signal: AbortSignal): Consumers {
  const secrets = new CountedNames();
  const accounts = new CountedNames();
  const users = new CountedNames();
  const usesOf = (namespace: string, consumer: Consumer | undefined): readonly Use[] =>
    (consumer?.mounts ?? []).flatMap(({ className, credentialsSecret }) => {
      const classKey = `${namespace}/${className}`;
      return [
        ...(credentialsSecret === undefined ? [] : [{ names: secrets, classKey, name: credentialsSecret }]),
        ...(consumer === undefined ? [] : [{ names: accounts, classKey, name: consumer.account }]),
        ...(consumer?.hasEnded === false ? [{ names: users, classKey, name: "pod" }] : []),
      ];
    });
  const reflector: Reflector<Consumer> = watcher.reflect<Consumer>(
    {
      resource: RESOURCES.pods,
      project: consumerOf,
      onChange: ({ namespace = "" }, { previous, current }) => {
        const [former, present] = [usesOf(namespace, previous), usesOf(namespace, current)];
        const before = [...former, ...present].map((use) => ({ use, isHeld: holds(use) }));
        for (const { names, classKey, name } of former) names.add(classKey, name, -1);
        for (const { names, classKey, name } of present) names.add(classKey, name, 1);
        const changed = before.filter(({ use, isHeld }) => holds(use) !== isHeld).map(({ use }) => use);
        const keysOf = (uses: readonly Use[]): ReadonlySet<string> => new Set(uses.map(({ classKey }) => classKey));
        for (const classKey of keysOf(changed.filter(({ names }) => names === users))) onUseChanged(classKey, users.has(classKey));
        for (const classKey of keysOf(changed.filter(({ names }) => names !== users))) onIdentitiesChanged(classKey);
      },
    },
    signal,
  );
  return {
    watch: reflector,
    credentialsSecretsOf: (classKey) => secrets.of(classKey),
    accountsOf: (classKey) => accounts.of(classKey),
    isUsed: (classKey) => users.has(classKey),
  };
}

/** Whether the API server now has a pod that uses the class. The watch may not have shown a new pod yet. */
export async function hasLiveConsumer(
  kube: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<boolean> {
  const unfinished = "status.phase!=Succeeded,status.phase!=Failed";
  const pods = await kube.list<Pod>(RESOURCES.pods, { namespace, fieldSelector: unfinished, keep: keptIf(name) }, signal);
  return pods.some((pod) => mountsIn(pod).some(({ className }) => className === name));
}

/** A name that a pod uses with a class. */
interface Use {
  readonly names: CountedNames;
  readonly classKey: string;
  readonly name: string;
}

function holds({ names, classKey, name }: Use): boolean {
  return names.has(classKey, name);
}

/** Counts the pods that use each name with each class. */
class CountedNames {
  readonly #counts = new Map<string, Map<string, number>>();

  add(classKey: string, name: string, change: 1 | -1): void {
    const ofClass = this.#counts.get(classKey) ?? new Map<string, number>();
    const count = (ofClass.get(name) ?? 0) + change;
    if (count > 0) ofClass.set(name, count);
    else ofClass.delete(name);
    if (ofClass.size > 0) this.#counts.set(classKey, ofClass);
    else this.#counts.delete(classKey);
  }

  /** Whether a pod uses the name, or any name, with the class. */
  has(classKey: string, name?: string): boolean {
    const ofClass = this.#counts.get(classKey);
    return ofClass !== undefined && (name === undefined || ofClass.has(name));
  }

  of(classKey: string): readonly string[] {
    return [...(this.#counts.get(classKey)?.keys() ?? [])].sort();
  }
}

interface Pod extends KubeObject {
  readonly spec?: {
    readonly serviceAccountName?: string;
    readonly volumes?: readonly {
      readonly csi?: {
        readonly driver?: string;
        readonly volumeAttributes?: Readonly<Record<string, string>>;
        readonly nodePublishSecretRef?: { readonly name?: string };
      };
    }[];
  };
  readonly status?: { readonly phase?: string };
}

/**
 * Keeps one volume of the class from a pod that mounts it, and no volume of other pods. A namespace may have thousands of pods of a
 * megabyte each.
 */
function keptIf(className: string): (pod: Pod) => Pod {
  return (pod) => {
    const { apiVersion, kind, metadata } = pod;
    const isMounted = mountsIn(pod).some((mount) => mount.className === className);
    const volumes = isMounted ? [{ csi: { driver: CSI_DRIVER, volumeAttributes: { secretProviderClass: className } } }] : [];
    return { apiVersion, kind, metadata: { name: metadata.name }, spec: { volumes } };
  };
}

function consumerOf(object: KubeObject): Consumer | undefined {
  const pod: Pod = object;
  const mounts = mountsIn(pod);
  if (mounts.length === 0) return undefined;
  const hasEnded = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
  return { account: pod.spec?.serviceAccountName ?? "default", hasEnded, mounts };
}

/** Returns each pair of class and credentials Secret once. Ignores names that are too long for a Kubernetes object. */
function mountsIn({ spec }: Pod): readonly Mount[] {
  const mounts = new Map<string, Mount>();
  for (const { csi } of spec?.volumes ?? []) {
    const className = csi?.driver === CSI_DRIVER ? csi.volumeAttributes?.["secretProviderClass"] : undefined;
    if (className === undefined || className.length > LONGEST_SUBDOMAIN) continue;
    const { name } = csi?.nodePublishSecretRef ?? {};
    const credentialsSecret = name === undefined || name.length > LONGEST_SUBDOMAIN ? undefined : name;
    mounts.set(`${className} ${credentialsSecret ?? ""}`, { className, credentialsSecret });
  }
  return [...mounts.values()];
}
