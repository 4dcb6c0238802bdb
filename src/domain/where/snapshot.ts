import { objectKey } from "../object-key.ts";
import type { PodUse } from "./pod-use.ts";
import type { ReadClass } from "./read-class.ts";
import type { StatedClass, StoredPodStatus, StoredSecret } from "./stored-versions.ts";

/** Kinds of the listed objects. */
export type ListedKind = "secrets" | "pods" | "podStatuses" | "classStatuses";

/** All listed objects, at about one moment. */
export interface Listed {
  readonly classes: readonly ReadClass[];
  readonly secrets: readonly StoredSecret[];
  readonly pods: readonly PodUse[];
  readonly podStatuses: readonly StoredPodStatus[];
  readonly classStatuses: readonly StatedClass[];
  /** Reason why the user cannot see the kind in the namespace; undefined if the user can. */
  readonly unseen: (kind: ListedKind, namespace: string) => string | undefined;
  /** Unix milliseconds. */
  readonly now: number;
}

/** The listed objects with indexes. */
export interface Snapshot extends Pick<Listed, "classes" | "unseen" | "now"> {
  /** Returns the pods that use the class in a volume. */
  podsOfClass(namespace: string, className: string): readonly PodUse[];
  /** Returns the pods with a container that uses the Secret. */
  podsOfSecret(namespace: string, secretName: string): readonly PodUse[];
  secret(namespace: string, name: string): StoredSecret | undefined;
  classStatus(namespace: string, name: string): StatedClass | undefined;
  podStatus(pod: PodUse, className: string): StoredPodStatus | undefined;
}

export function snapshotOf(listed: Listed): Snapshot {
  const secrets = new Map(listed.secrets.map((secret) => [objectKey(secret), secret]));
  const statuses = new Map(listed.classStatuses.map((status) => [objectKey(status), status]));
  const podStatuses = new Map(listed.podStatuses.map((status) => [podClassKey(status.namespace, status.pod, status.className), status]));
  const byClass = new Map<string, PodUse[]>();
  const bySecret = new Map<string, PodUse[]>();
  for (const pod of listed.pods) {
    for (const name of pod.classes) add(byClass, objectKey({ namespace: pod.namespace, name }), pod);
    for (const name of secretsOf(pod)) add(bySecret, objectKey({ namespace: pod.namespace, name }), pod);
  }
  return {
    classes: listed.classes,
    unseen: listed.unseen,
    now: listed.now,
    podsOfClass: (namespace, name) => byClass.get(objectKey({ namespace, name })) ?? [],
    podsOfSecret: (namespace, name) => bySecret.get(objectKey({ namespace, name })) ?? [],
    secret: (namespace, name) => secrets.get(objectKey({ namespace, name })),
    classStatus: (namespace, name) => statuses.get(objectKey({ namespace, name })),
    podStatus: ({ namespace, name }, className) => podStatuses.get(podClassKey(namespace, name, className)),
  };
}

function podClassKey(namespace: string, pod: string, className: string): string {
  return `${namespace}/${pod}/${className}`;
}

function secretsOf(pod: PodUse): ReadonlySet<string> {
  return new Set(pod.containers.flatMap(({ uses }) => uses.flatMap((use) => (use.kind === "mount" ? [] : [use.secret]))));
}

function add(index: Map<string, PodUse[]>, key: string, pod: PodUse): void {
  const known = index.get(key);
  if (known === undefined) index.set(key, [pod]);
  else known.push(pod);
}
