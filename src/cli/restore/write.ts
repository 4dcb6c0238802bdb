import { mergePatchOf } from "../../domain/healing/merge-patch.ts";
import { restoredClass } from "../../domain/healing/snapshot.ts";
import { isJsonObject, type JsonObject } from "../../domain/json-object.ts";
import { RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { type KubeClient, KubeError } from "../../domain/ports.ts";
import type { WorkerCode } from "../surroundings.ts";
import { type Candidate, contentOf, type Restorable, toldOf } from "./plan.ts";

/** Of what the command writes, until it is handed over to those who wrote it before. */
export const FIELD_MANAGER = "keyvault-injector-restore";

export const RESTORE_ACTIONS = {
  created: "made again from its snapshot",
  overwritten: "made as the snapshot has it (--force)",
  kept: "left as it is: it is there",
  refused: "not restored: forged, or the API server refuses it",
} as const;

export type RestoreAction = keyof typeof RESTORE_ACTIONS;

export interface Restored extends Restorable {
  readonly action: RestoreAction;
}

export interface RestoreOptions {
  readonly kube: KubeClient;
  readonly worker: WorkerCode;
  readonly isDryRun: boolean;
  /** Existing classes are made as their snapshots have them. */
  readonly isForced: boolean;
  readonly signal: AbortSignal;
}

/** One class; a refusal of the API server is a result, so that the others are restored all the same. */
export async function restoreClass(options: RestoreOptions, candidate: Candidate): Promise<Restored> {
  const told = toldOf(candidate);
  try {
    return { ...told, ...(await write(options, candidate)) };
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    const isTaken = error.code === "AlreadyExists" || error.code === "Conflict";
    if (isTaken) return { ...told, action: "kept", message: "somebody else made or changed it meanwhile: look again" };
    return { ...told, action: "refused", message: error.message };
  }
}

type Written = Pick<Restored, "action"> & Partial<Pick<Restored, "message">>;

async function write(options: RestoreOptions, candidate: Candidate): Promise<Written> {
  const { snapshot, state, live } = candidate;
  if (snapshot === undefined || state === "unknown") return { action: "refused" };
  if (state === "missing") {
    const made = await options.kube.create(RESOURCES.secretProviderClasses, restoredClass(snapshot), writing(options), options.signal);
    await handOver(options, made, candidate);
    return { action: "created", message: `${would(options)}made again, as generation ${snapshot.generation} had it` };
  }
  if (state === "same" || live === undefined) return { action: "kept" };
  if (!options.isForced)
    return { action: "kept", message: "there, and another than the snapshot: --force makes it as the snapshot has it" };
  await overwrite(options, live, candidate);
  return { action: "overwritten", message: `${would(options)}made as generation ${snapshot.generation} had it` };
}

const would = ({ isDryRun }: RestoreOptions): string => (isDryRun ? "would be " : "");
const writing = ({ isDryRun }: RestoreOptions) => ({ fieldManager: FIELD_MANAGER, dryRun: isDryRun });

/** The differences alone, and only on the very object that the difference was shown of. */
async function overwrite(options: RestoreOptions, live: SecretProviderClass, candidate: Candidate): Promise<void> {
  const { kube, signal } = options;
  if (candidate.snapshot === undefined) return;
  const { name, namespace = "", uid, resourceVersion } = live.metadata;
  const changes = mergePatchOf(asJson(contentOf(live)), asJson(contentOf(restoredClass(candidate.snapshot)))) ?? {};
  const metadata = isJsonObject(changes["metadata"]) ? changes["metadata"] : {};
  const patch = { ...changes, metadata: { ...metadata, uid, resourceVersion } };
  const made = await kube.mergePatch<SecretProviderClass>(
    RESOURCES.secretProviderClasses,
    { namespace, name },
    patch,
    writing(options),
    signal,
  );
  await handOver(options, made, candidate);
}

/** Whoever wrote the class before owns its fields again, so that their next apply meets no conflict. */
async function handOver(
  { kube, worker, isDryRun, signal }: RestoreOptions,
  made: SecretProviderClass,
  { snapshot }: Candidate,
): Promise<void> {
  if (!isDryRun && snapshot !== undefined) await worker.handOver(kube, made, snapshot.managedFields, signal);
}

/** Without `undefined`, which a merge patch has no word for. */
function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject; // Text of an object is an object.
}
