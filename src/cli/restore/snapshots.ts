import { SNAPSHOT_ANNOTATIONS, SNAPSHOT_LABEL } from "../../domain/annotations.ts";
import { mergePatchOf } from "../../domain/healing/merge-patch.ts";
import { type ClassSnapshot, canonical, restoredClass } from "../../domain/healing/snapshot.ts";
import { memberOf } from "../../domain/json-members.ts";
import type { JsonObject } from "../../domain/json-object.ts";
import { type KubeObject, RESOURCES, type Secret, type SecretProviderClass } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { toYaml } from "../manifest/yaml.ts";
import { CommandFailure } from "../shared/command.ts";
import { unifiedDiff } from "../shared/diff.ts";
import { MORE_RESOURCES } from "../shared/resources.ts";
import type { Viewer } from "../shared/viewer.ts";
import { refusalText } from "../shared/viewer.ts";
import type { Fingerprints, WorkerCode } from "../shared/worker-code.ts";

interface ControllerRevision extends KubeObject {
  readonly data: unknown;
}

/** Loads the key that distinguishes snapshots of the install from forged ones: without it, the command restores nothing. */
export async function loadFingerprints(
  viewer: Viewer,
  { hmacKeySecret, hmacKeyIn, createFingerprints }: WorkerCode,
  namespace: string,
): Promise<Fingerprints> {
  const named = `Secret ${namespace}/${hmacKeySecret}`;
  const reading = await viewer.object<Secret>(RESOURCES.secrets, { namespace, name: hmacKeySecret });
  if (reading.kind === "unseen")
    throw new CommandFailure(`${reading.why}, which is needed to verify snapshots; ask for permission to get ${named}`);
  const key = reading.kind === "seen" ? hmacKeyIn(reading.value) : undefined;
  if (key !== undefined) return createFingerprints(key.bytes, key.formerUntil);
  const why = reading.kind === "seen" ? `${named} contains no key` : `${named} does not exist`;
  const worker = await viewer.object<KubeObject>(MORE_RESOURCES.deployments, { namespace, name: "keyvault-injector-sync" });
  // The worker creates its key when it first starts.
  const fix =
    worker.kind === "seen" ? "the install's worker has not started yet, so check its pods" : "name the install with --install-namespace";
  throw new CommandFailure(`${why}, so no snapshot can be verified; ${fix}, or apply the classes from their manifests`);
}

/** ControllerRevision with the label of a snapshot. */
export interface StoredSnapshot {
  readonly revision: ControllerRevision;
  /** Name of the class; if the snapshot cannot be verified, the name in its annotation. */
  readonly className: string;
  /** Undefined: this install did not write the snapshot, or wrote it with another key, so the command trusts nothing in it. */
  readonly record: ReturnType<typeof recordOf>;
}

/** Reads the newest genuine snapshot of each class, of all namespaces or of one, and after them all forged snapshots. */
export async function readSnapshots(
  viewer: Viewer,
  judge: SnapshotJudge,
  namespace: string | undefined,
): Promise<readonly StoredSnapshot[]> {
  const scope = namespace === undefined ? {} : { namespace };
  const reading = await viewer.all<ControllerRevision>(RESOURCES.controllerRevisions, {
    ...scope,
    labelSelector: `${SNAPSHOT_LABEL}=true`,
  });
  if (reading.kind !== "seen") {
    throw new CommandFailure(
      reading.kind === "unseen"
        ? `${reading.why}; name a namespace with -n, or ask for permission`
        : "the API server serves no controllerrevisions",
    );
  }
  const all = reading.value.map((revision): StoredSnapshot => {
    const record = recordOf(revision, judge);
    return { revision, className: record?.data.name ?? revision.metadata.annotations?.[SNAPSHOT_ANNOTATIONS.class] ?? "", record };
  });
  const age = ({ record }: StoredSnapshot): readonly [number, number] => [record?.saved ?? 0, record?.resourceVersion ?? 0];
  const byAge = [...all].sort((a, b) => age(b)[0] - age(a)[0] || age(b)[1] - age(a)[1]);
  const genuine = Map.groupBy(
    byAge.filter(({ record }) => record !== undefined),
    ({ record }) => `${record?.key}`,
  );
  const newest = [...genuine.values()].flatMap(([first]) => (first === undefined ? [] : [first]));
  const forged = byAge.filter(({ record }) => record === undefined);
  return [...newest.sort((a, b) => ((a.record?.key ?? "") < (b.record?.key ?? "") ? -1 : 1)), ...forged];
}

interface SnapshotJudge {
  readonly worker: WorkerCode;
  readonly fingerprints: Fingerprints;
}

function recordOf(revision: ControllerRevision, { worker, fingerprints }: SnapshotJudge) {
  return worker.recordIn(revision, { kind: worker.snapshotKind, fingerprints });
}

/** States of a snapshot's class, each with its colour. `docs/reference/cli.md` explains them. */
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
  /** Difference from the live class to the snapshot, if they differ. Classes contain no secret values. */
  readonly diff?: string;
}

/** Result of comparing a snapshot with the live class. `snapshot` is absent if it is forged, or the user may not read the class. */
export interface Candidate {
  readonly reported: Restorable;
  readonly snapshot?: ClassSnapshot;
  readonly live?: SecretProviderClass;
}

export async function compareAll(viewer: Viewer, snapshots: readonly StoredSnapshot[]): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for (const stored of snapshots) candidates.push(await compare(viewer, stored));
  return candidates;
}

async function compare(viewer: Viewer, { revision: { metadata }, className: name, record }: StoredSnapshot): Promise<Candidate> {
  const { namespace = "", name: revision, creationTimestamp: taken } = metadata;
  const reported = (state: SnapshotState, message: string): Restorable => ({ namespace, name, revision, taken, state, message });
  if (record === undefined) {
    const message = "this install did not write it, or wrote it with another key, or it is a later copy: it is not trusted";
    return { reported: reported("forged", message) };
  }
  const snapshot = record.data;
  const reading = await viewer.object<SecretProviderClass>(RESOURCES.secretProviderClasses, { namespace, name });
  if (reading.kind === "unserved") throw new CommandFailure("the API server serves no secretproviderclasses; apply manifests/crds first");
  if (reading.kind === "unseen") return { reported: reported("unknown", reading.why) };
  if (reading.kind === "absent")
    return { reported: reported("missing", `not in the cluster; generation ${snapshot.generation} was kept`), snapshot };
  const live = reading.value;
  const [before, after] = textsOf(live, snapshot);
  if (before === after) return { reported: reported("same", "exists, and matches the snapshot"), snapshot, live };
  // The keys have the same order, so that only content makes a difference.
  const diff = unifiedDiff(toYaml(JSON.parse(before)), toYaml(JSON.parse(after)), `${namespace}/${name}`);
  return { reported: { ...reported("differs", "exists, and differs from the snapshot"), diff }, snapshot, live };
}

/** Returns the contents of the class, as it is and as in the snapshot. Equal texts mean equal contents. */
function textsOf(live: SecretProviderClass, snapshot: ClassSnapshot): readonly [string, string] {
  return [canonical(contentOf(live)), canonical(contentOf(restoredClass(snapshot)))];
}

/** Returns the parts of a class that a snapshot contains. */
function contentOf({ apiVersion, kind, metadata, spec }: SecretProviderClass) {
  const { namespace, name, labels = {}, annotations = {} } = metadata;
  return { apiVersion, kind, metadata: { namespace, name, labels, annotations }, spec };
}

/** Field manager of the fields that the command writes, until the hand-over to the previous field managers. */
const FIELD_MANAGER = "keyvault-injector-restore";

/** Results for a class, each with its colour. `docs/reference/cli.md` explains them. */
export const RESTORE_ACTIONS = { created: "green", overwritten: "yellow", kept: "green", refused: "red" } as const;

export type RestoreAction = keyof typeof RESTORE_ACTIONS;

export interface Restored extends Restorable {
  readonly action: RestoreAction;
}

export interface RestoreOptions {
  readonly kube: KubeClient;
  readonly worker: WorkerCode;
  readonly isDryRun: boolean;
  /** Whether to overwrite existing classes from their snapshots. */
  readonly isForced: boolean;
  readonly signal: AbortSignal;
}

/** Restores one class. Returns a refusal of the API server as a result, so that the command still restores the others. */
export async function restoreClass(options: RestoreOptions, candidate: Candidate): Promise<Restored> {
  const { reported } = candidate;
  try {
    return { ...reported, ...(await writeOnce(options, candidate)) };
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return {
      ...reported,
      action: "refused",
      message: refusalText(`write secretproviderclasses ${reported.namespace}/${reported.name}`, error),
    };
  }
}

type Written = Pick<Restored, "action"> & Partial<Pick<Restored, "message">>;

async function write(options: RestoreOptions, { reported, snapshot, live }: Candidate): Promise<Written> {
  if (snapshot === undefined) return { action: "refused" };
  if (live === undefined) {
    const made = await options.kube.create(RESOURCES.secretProviderClasses, restoredClass(snapshot), writing(options), options.signal);
    await handOver(options, made, snapshot);
    return { action: "created", message: `${would(options)}recreated as in generation ${snapshot.generation}` };
  }
  if (reported.state === "same") {
    if (isOwner(live)) await handOver(options, live, snapshot);
    return { action: "kept" };
  }
  if (!options.isForced) return { action: "kept", message: "exists, and differs from the snapshot: --force overwrites it" };
  await overwrite(options, live, snapshot);
  return { action: "overwritten", message: `${would(options)}overwritten as in generation ${snapshot.generation}` };
}

/**
 * Writes the class. A repeated request meets the class that the first one wrote, if only the answer was lost: then the fields are given
 * back, as after an answer.
 */
async function writeOnce(options: RestoreOptions, candidate: Candidate): Promise<Written> {
  try {
    return await write(options, candidate);
  } catch (error) {
    const isTaken = error instanceof KubeError && (error.code === "AlreadyExists" || error.code === "Conflict");
    if (!isTaken) throw error;
    if (!(await finishRestored(options, candidate)))
      return { action: "kept", message: "someone else created or changed it in the meantime: check again" };
    return { action: candidate.live === undefined ? "created" : "overwritten", message: "restored at a second attempt" };
  }
}

/** Gives the fields back if the class is as in the snapshot by a write of this command. Resolves with whether it is. */
async function finishRestored(options: RestoreOptions, { reported: { namespace, name }, snapshot }: Candidate): Promise<boolean> {
  const found = await options.kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, { namespace, name }, options.signal);
  if (snapshot === undefined || found.kind !== "found" || !isOwner(found.object)) return false;
  const [live, wanted] = textsOf(found.object, snapshot);
  if (live === wanted) await handOver(options, found.object, snapshot);
  return live === wanted;
}

/** Whether this command has written fields of the class, and has not given them back to their owners. */
function isOwner({ metadata: { managedFields = [] } }: SecretProviderClass): boolean {
  return managedFields.some(({ manager }) => manager === FIELD_MANAGER);
}

const would = ({ isDryRun }: RestoreOptions): string => (isDryRun ? "would be " : "");
const writing = ({ isDryRun }: RestoreOptions) => ({ fieldManager: FIELD_MANAGER, dryRun: isDryRun });

/** Writes only the differences, and only if the class has not changed since the comparison. */
async function overwrite(options: RestoreOptions, live: SecretProviderClass, snapshot: ClassSnapshot): Promise<void> {
  const { kube, signal } = options;
  const { name, namespace = "", uid, resourceVersion } = live.metadata;
  const changes = mergePatchOf(asJson(contentOf(live)), asJson(contentOf(restoredClass(snapshot)))) ?? {};
  const metadata = memberOf(changes, "metadata");
  const patch = { ...changes, metadata: { ...metadata, uid, resourceVersion } };
  const made = await kube.mergePatch<SecretProviderClass>(
    RESOURCES.secretProviderClasses,
    { namespace, name },
    patch,
    writing(options),
    signal,
  );
  await handOver(options, made, snapshot);
}

/** Gives the fields back to the field managers that wrote them before, so that their next apply causes no conflict. */
async function handOver(
  { kube, worker, isDryRun, signal }: RestoreOptions,
  made: SecretProviderClass,
  { managedFields }: ClassSnapshot,
): Promise<void> {
  const written = { resource: RESOURCES.secretProviderClasses, object: made, managedFields };
  if (!isDryRun) await worker.handOver(kube, written, signal);
}

/** Removes `undefined`, which a merge patch cannot express. */
function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject; // The JSON of an object is an object.
}
