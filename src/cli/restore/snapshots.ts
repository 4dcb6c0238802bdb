import { SNAPSHOT_ANNOTATIONS, SNAPSHOT_LABEL } from "../../domain/annotations.ts";
import { type ClassSnapshot, canonical, restoredClass } from "../../domain/healing/snapshot.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type Secret, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { toYaml } from "../manifest/yaml.ts";
import { CommandFailure } from "../shared/command.ts";
import { unifiedDiff } from "../shared/diff.ts";
import type { Viewer } from "../shared/viewer.ts";
import type { Fingerprints, WorkerCode } from "../shared/worker-code.ts";

interface ControllerRevision extends KubeObject {
  readonly data: unknown;
}

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
export async function loadFingerprints(
  viewer: Viewer,
  { hmacKeySecret, hmacKeyIn, createFingerprints }: WorkerCode,
  namespace: string,
): Promise<Fingerprints> {
  const named = `Secret ${namespace}/${hmacKeySecret}`;
  const look = await viewer.object<Secret>(RESOURCES.secrets, { namespace, name: hmacKeySecret });
  if (look.kind === "unseen") throw new CommandFailure(`${look.why}, with which snapshots are verified; ask for the right to get ${named}`);
  const key = look.kind === "seen" ? hmacKeyIn(look.value) : undefined;
  if (key !== undefined) return createFingerprints(key.bytes, key.formerUntil);
  const why = look.kind === "seen" ? `${named} holds no key` : `there is no ${named}`;
  throw new CommandFailure(
    `${why}, so no snapshot can be verified; name the install with --install-namespace, or apply the classes from their manifests`,
  );
}

export interface SnapshotScope {
  /** Undefined: all. */
  readonly namespace: string | undefined;
  readonly fingerprints: Fingerprints;
}

/** Every snapshot, the newest of each class first; forged ones last. */
export async function readSnapshots(
  viewer: Viewer,
  worker: WorkerCode,
  { namespace, fingerprints }: SnapshotScope,
): Promise<readonly StoredSnapshot[]> {
  const scope = namespace === undefined ? {} : { namespace };
  const look = await viewer.all<ControllerRevision>(RESOURCES.controllerRevisions, { ...scope, labelSelector: `${SNAPSHOT_LABEL}=true` });
  if (look.kind !== "seen") {
    throw new CommandFailure(
      look.kind === "unseen" ? `${look.why}; name a namespace with -n, or ask for the right` : "no controllerrevisions are served",
    );
  }
  const all = look.value
    .map((revision) => ofRevision(revision, worker, fingerprints))
    .sort((a, b) => b.saved - a.saved || b.version - a.version);
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

function ofRevision(revision: ControllerRevision, worker: WorkerCode, fingerprints: Fingerprints): Dated {
  const { name, namespace = "", annotations = {}, creationTimestamp: taken, resourceVersion = "0" } = revision.metadata;
  const signed = worker.recordIn(revision, { kind: worker.snapshotKind, fingerprints });
  const className = signed?.data.name ?? annotations[SNAPSHOT_ANNOTATIONS.class] ?? "";
  const dates = { saved: signed?.saved ?? 0, version: Number(resourceVersion) };
  return { ref: { namespace, name }, className, taken, snapshot: signed?.data, ...dates };
}

/** How a snapshot's class stands, each in its colour. `docs/reference/cli.md` says what they mean. */
export const SNAPSHOT_STATES = { missing: "yellow", same: "green", differs: "yellow", forged: "red", unknown: "cyan" } as const;

export type SnapshotState = keyof typeof SNAPSHOT_STATES;

export interface Restorable {
  readonly namespace: string;
  readonly name: string;
  /** Name of the ControllerRevision. */
  readonly revision: string;
  readonly taken: string | undefined;
  readonly state: SnapshotState;
  readonly message: string;
  /** From the live class to the snapshot's, where they differ. Classes hold no values. */
  readonly diff?: string;
}

interface Verified {
  readonly snapshot: ClassSnapshot;
}

interface Compared extends Verified {
  readonly live: SecretProviderClass;
}

/** A snapshot, with the class as it is now where that is known. */
export type Candidate = Restorable &
  (
    | { readonly state: "forged" | "unknown" }
    | ({ readonly state: "missing" } & Verified)
    | ({ readonly state: "same" | "differs" } & Compared)
  );

export async function compareAll(viewer: Viewer, snapshots: readonly StoredSnapshot[]): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for (const stored of snapshots) candidates.push(await compare(viewer, stored));
  return candidates;
}

async function compare(viewer: Viewer, { ref, className, taken, snapshot }: StoredSnapshot): Promise<Candidate> {
  const facts = { namespace: ref.namespace, name: className, revision: ref.name, taken };
  if (snapshot === undefined) {
    const message = "this install did not write it, or not with the key that it has now, or it is a later copy: nothing in it is believed";
    return { ...facts, state: "forged", message };
  }
  const look = await viewer.object<SecretProviderClass>(RESOURCES.secretProviderClasses, { namespace: ref.namespace, name: className });
  if (look.kind === "unserved") throw new CommandFailure("the API server serves no secretproviderclasses; apply manifests/crds first");
  if (look.kind === "unseen") return { ...facts, state: "unknown", message: look.why };
  if (look.kind === "absent")
    return { ...facts, snapshot, state: "missing", message: `not there; generation ${snapshot.generation} was kept` };
  const live = look.value;
  if (canonical(contentOf(live)) === canonical(contentOf(restoredClass(snapshot)))) {
    return { ...facts, snapshot, live, state: "same", message: "there, as the snapshot has it" };
  }
  return { ...facts, snapshot, live, state: "differs", message: "there, and another than the snapshot", diff: diffOf(live, snapshot) };
}

/** What a snapshot says of a class. */
export function contentOf({ apiVersion, kind, metadata, spec }: SecretProviderClass) {
  const { namespace, name, labels = {}, annotations = {} } = metadata;
  return { apiVersion, kind, metadata: { namespace, name, labels, annotations }, spec };
}

function diffOf(live: SecretProviderClass, snapshot: ClassSnapshot): string {
  const [before, after] = [contentOf(live), contentOf(restoredClass(snapshot))].map((content) => toYaml(sorted(content)));
  return unifiedDiff(before ?? "", after ?? "", `${snapshot.namespace}/${snapshot.name}`);
}

/** Keys in one order, so that only content makes a difference. */
function sorted(content: object): object {
  return JSON.parse(canonical(content)) as object; // Canonical text of an object is an object.
}

/** What is shown of a candidate. */
export function toldOf(candidate: Candidate): Restorable {
  const { namespace, name, revision, taken, state, message, diff } = candidate;
  return { namespace, name, revision, taken, state, message, ...(diff === undefined ? {} : { diff }) };
}
