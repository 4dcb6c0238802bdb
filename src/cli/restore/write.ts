import { assertNever } from "../../domain/assert-never.ts";
import { mergePatchOf } from "../../domain/healing/merge-patch.ts";
import { type ClassSnapshot, restoredClass } from "../../domain/healing/snapshot.ts";
import { isJsonObject, type JsonObject } from "../../domain/json-object.ts";
import { RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { WorkerCode } from "../shared/worker-code.ts";
import { type Candidate, contentOf, type Restorable, toldOf } from "./snapshots.ts";

/** Of what the command writes, until it is handed over to those who wrote it before. */
export const FIELD_MANAGER = "keyvault-injector-restore";

/** What became of a class, each in its colour. `docs/reference/cli.md` says what they mean. */
export const RESTORE_ACTIONS = { created: "green", overwritten: "yellow", kept: "green", refused: "red" } as const;

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
  switch (candidate.state) {
    case "forged":
    case "unknown":
      return { action: "refused" };
    case "missing": {
      const { snapshot } = candidate;
      const made = await options.kube.create(RESOURCES.secretProviderClasses, restoredClass(snapshot), writing(options), options.signal);
      await handOver(options, made, snapshot);
      return { action: "created", message: `${would(options)}made again, as generation ${snapshot.generation} had it` };
    }
    case "same":
      return { action: "kept" };
    case "differs":
      if (!options.isForced)
        return { action: "kept", message: "there, and another than the snapshot: --force makes it as the snapshot has it" };
      await overwrite(options, candidate.live, candidate.snapshot);
      return { action: "overwritten", message: `${would(options)}made as generation ${candidate.snapshot.generation} had it` };
    default:
      return assertNever(candidate);
  }
}

const would = ({ isDryRun }: RestoreOptions): string => (isDryRun ? "would be " : "");
const writing = ({ isDryRun }: RestoreOptions) => ({ fieldManager: FIELD_MANAGER, dryRun: isDryRun });

/** The differences alone, and only on the very object that the difference was shown of. */
async function overwrite(options: RestoreOptions, live: SecretProviderClass, snapshot: ClassSnapshot): Promise<void> {
  const { kube, signal } = options;
  const { name, namespace = "", uid, resourceVersion } = live.metadata;
  const changes = mergePatchOf(asJson(contentOf(live)), asJson(contentOf(restoredClass(snapshot)))) ?? {};
  const metadata = isJsonObject(changes["metadata"]) ? changes["metadata"] : {};
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

/** Whoever wrote the class before owns its fields again, so that their next apply meets no conflict. */
async function handOver(
  { kube, worker, isDryRun, signal }: RestoreOptions,
  made: SecretProviderClass,
  { managedFields }: ClassSnapshot,
): Promise<void> {
  const written = { resource: RESOURCES.secretProviderClasses, object: made, managedFields };
  if (!isDryRun) await worker.handOver(kube, written, signal);
}

/** Without `undefined`, which a merge patch has no word for. */
function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject; // Text of an object is an object.
}
