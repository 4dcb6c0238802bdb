import { SNAPSHOT_ANNOTATIONS, SNAPSHOT_LABEL } from "../../domain/annotations.ts";
import type { ClassSnapshot } from "../../domain/healing/snapshot.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import type { Viewer } from "../cluster.ts";
import { CommandFailure } from "../command.ts";
import type { StoredRevision, WorkerCode } from "../surroundings.ts";

type ControllerRevision = KubeObject & StoredRevision;

/** A ControllerRevision with the label of a snapshot. */
export interface StoredSnapshot {
  /** Of the ControllerRevision. */
  readonly ref: Required<ObjectRef>;
  /** Of the class, as the annotation says. */
  readonly className: string;
  readonly taken: string | undefined;
  /** Undefined: this install did not write it, or not with this key; nothing in it is believed. */
  readonly snapshot: ClassSnapshot | undefined;
}

/** The key is what tells a snapshot of ours from a forged one: without it nothing is restored. */
export async function loadHmacKey(viewer: Viewer, { hmacKeySecret, hmacKeyIn }: WorkerCode, namespace: string): Promise<Uint8Array> {
  const named = `Secret ${namespace}/${hmacKeySecret}`;
  const look = await viewer.object<Secret>(RESOURCES.secrets, { namespace, name: hmacKeySecret });
  if (look.kind === "unseen") throw new CommandFailure(`${look.why}, with which snapshots are verified; ask for the right to get ${named}`);
  const key = look.kind === "seen" ? hmacKeyIn(look.value) : undefined;
  if (key !== undefined) return key;
  const why = look.kind === "seen" ? `${named} holds no key` : `there is no ${named}`;
  throw new CommandFailure(
    `${why}, so no snapshot can be verified; name the install with --install-namespace, or apply the classes from their manifests`,
  );
}

export interface SnapshotScope {
  /** Undefined: all. */
  readonly namespace: string | undefined;
  readonly key: Uint8Array;
}

/** Every snapshot, the newest of each class first; forged ones last. */
export async function readSnapshots(
  viewer: Viewer,
  worker: WorkerCode,
  { namespace, key }: SnapshotScope,
): Promise<readonly StoredSnapshot[]> {
  const scope = namespace === undefined ? {} : { namespace };
  const look = await viewer.all<ControllerRevision>(RESOURCES.controllerRevisions, { ...scope, labelSelector: `${SNAPSHOT_LABEL}=true` });
  if (look.kind !== "seen") {
    throw new CommandFailure(
      look.kind === "unseen" ? `${look.why}; name a namespace with -n, or ask for the right` : "no controllerrevisions are served",
    );
  }
  const byAge = [...look.value].sort((a, b) => versionOf(b) - versionOf(a));
  const all = byAge.map((revision) => ofRevision(revision, worker, key));
  const seen = new Set<string>();
  const newest = all.filter(({ snapshot }) => {
    const name = snapshot === undefined ? undefined : `${snapshot.namespace}/${snapshot.name}`;
    if (name === undefined || seen.has(name)) return false;
    seen.add(name);
    return true;
  });
  const order = (stored: StoredSnapshot): string => `${stored.ref.namespace}/${stored.className}`;
  const sorted = newest.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return [...sorted, ...all.filter(({ snapshot }) => snapshot === undefined)];
}

const versionOf = ({ metadata }: KubeObject): number => Number(metadata.resourceVersion ?? "0");

function ofRevision(revision: ControllerRevision, worker: WorkerCode, key: Uint8Array): StoredSnapshot {
  const { name, namespace = "", annotations = {}, creationTimestamp: taken } = revision.metadata;
  const snapshot = worker.snapshotIn(revision, key);
  const className = snapshot?.name ?? annotations[SNAPSHOT_ANNOTATIONS.class] ?? "";
  return { ref: { namespace, name }, className, taken, snapshot };
}
