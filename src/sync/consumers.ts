import { type KubeObject, RESOURCES } from "../domain/kubernetes.ts";
import type { KubeWatcher, Reflector } from "../domain/ports.ts";

const DRIVER = "secrets-store.csi.k8s.io";

/** What a pod says of the classes it mounts; the rest of the pod is dropped on arrival. */
interface Consumer {
  readonly account: string;
  readonly mounts: readonly { readonly className: string; readonly credentialsSecret: string | undefined }[];
}

/** Pods whose CSI volumes name a class. */
export interface Consumers {
  readonly hasSynced: boolean;
  /** Distinct names in `nodePublishSecretRef` of the pods that mount `namespace/name`. */
  credentialsSecretsOf(classKey: string): readonly string[];
  /** Distinct ServiceAccounts of those pods. */
  accountsOf(classKey: string): readonly string[];
}

export function startConsumers(watcher: KubeWatcher, signal: AbortSignal): Consumers {
  const secrets = new CountedNames();
  const accounts = new CountedNames();
  const count = (namespace: string, consumer: Consumer | undefined, change: 1 | -1): void => {
    for (const { className, credentialsSecret } of consumer?.mounts ?? []) {
      secrets.add(`${namespace}/${className}`, credentialsSecret, change);
      accounts.add(`${namespace}/${className}`, consumer?.account, change);
    }
  };
  const reflector: Reflector<Consumer> = watcher.reflect<Consumer>(
    {
      resource: RESOURCES.pods,
      project: consumerOf,
      onChange: ({ namespace = "" }, { previous, current }) => {
        count(namespace, previous, -1);
        count(namespace, current, 1);
      },
    },
    signal,
  );
  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    credentialsSecretsOf: (classKey) => secrets.of(classKey),
    accountsOf: (classKey) => accounts.of(classKey),
  };
}

/** How many pods use which name with which class. */
class CountedNames {
  readonly #counts = new Map<string, Map<string, number>>();

  add(classKey: string, name: string | undefined, change: 1 | -1): void {
    if (name === undefined) return;
    const ofClass = this.#counts.get(classKey) ?? new Map<string, number>();
    const count = (ofClass.get(name) ?? 0) + change;
    if (count > 0) ofClass.set(name, count);
    else ofClass.delete(name);
    if (ofClass.size > 0) this.#counts.set(classKey, ofClass);
    else this.#counts.delete(classKey);
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
}

function consumerOf(object: KubeObject): Consumer | undefined {
  const pod: Pod = object;
  const mounts = (pod.spec?.volumes ?? []).flatMap(({ csi }) => {
    const className = csi?.driver === DRIVER ? csi.volumeAttributes?.["secretProviderClass"] : undefined;
    return className === undefined ? [] : [{ className, credentialsSecret: csi?.nodePublishSecretRef?.name }];
  });
  return mounts.length === 0 ? undefined : { account: pod.spec?.serviceAccountName ?? "default", mounts };
}
