import { SNAPSHOT_ANNOTATIONS, SNAPSHOT_LABEL } from "../../domain/annotations.ts";
import type { ClassSnapshot } from "../../domain/healing/snapshot.ts";
import type { InstallKey } from "../../domain/install-key.ts";
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
export async function loadHmacKey(viewer: Viewer, { hmacKeySecret, hmacKeyIn }: WorkerCode, namespace: string): Promise<InstallKey> {
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
  readonly key: InstallKey;
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
  const all = look.value.map((revision) => ofRevision(revision, worker, key)).sort((a, b) => b.saved - a.saved || b.version - a.version);
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

interface Dated extends StoredSnapshot {
  /** Unix milliseconds of its signature, which decides which one is the newest; then the version that the API server gave. */
  readonly saved: number;
  readonly version: number;
}

function ofRevision(revision: ControllerRevision, worker: WorkerCode, key: InstallKey): Dated {
  const { name, namespace = "", annotations = {}, creationTimestamp: taken, resourceVersion = "0" } = revision.metadata;
  const signed = worker.snapshotIn(revision, key);
  const className = signed?.data.name ?? annotations[SNAPSHOT_ANNOTATIONS.class] ?? "";
  const dates = { saved: signed?.saved ?? 0, version: Number(resourceVersion) };
  return { ref: { namespace, name }, className, taken, snapshot: signed?.data, ...dates };
}
