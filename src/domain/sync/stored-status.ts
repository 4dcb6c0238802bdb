/**
 * `SecretProviderClassSync` as the API server stores it. Every `observedGeneration` is the generation of this object, not of the class, as
 * tools that judge any object expect. The worker adds it when it writes a status. Versions before 0.4.0 stored the class's generation
 * there.
 */
import type { KubeObject } from "../kubernetes.ts";
import { countsOf, withSynced } from "./class-status.ts";
import type { ClassStatus, Condition, SyncCondition } from "./status-fields.ts";

/** The worker's status object: one per synced class, with the same name. */
export interface SecretProviderClassSync extends KubeObject {
  readonly status?: StoredClassStatus;
}

export type StoredClassStatus = Omit<Partial<ClassStatus>, "conditions"> & {
  /** Generation of the object itself; before 0.4.0, of the class. */
  readonly observedGeneration?: number;
  readonly conditions?: readonly StoredCondition[];
  /** `1/2`, before 0.4.0. */
  readonly secretsSynced?: string;
};

export type StoredCondition = Condition & { readonly observedGeneration?: number };

/** The generation of an object that has no spec. */
const FIRST_GENERATION = 1;

/** Reads a stored status that any version wrote; undefined if there is none. */
export function readStatus(status: StoredClassStatus | undefined): ClassStatus | undefined {
  if (status === undefined) return undefined;
  const { observedGeneration, secretsSynced: _, conditions = [], secrets = [], ...said } = status;
  const observedClassGeneration = said.observedClassGeneration ?? observedGeneration ?? 0;
  const counts = { ...countsOf(secrets), ...said };
  const read = { ...counts, observedClassGeneration, conditions: conditions.map(withoutGeneration), secrets };
  return isReadySaid(conditions) ? read : withReady(read);
}

/** Whether it is stored in the form of {@link storedForm}. */
export function isCurrentForm({ metadata, status }: SecretProviderClassSync): boolean {
  if (status === undefined) return false;
  const { conditions = [], observedGeneration, observedClassGeneration } = status;
  const generation = metadata.generation ?? FIRST_GENERATION;
  return (
    observedClassGeneration !== undefined &&
    [observedGeneration, ...conditions.map((condition) => condition.observedGeneration)].every((observed) => observed === generation)
  );
}

/** Returns the form in which to store the status in an object of that generation. */
export function storedForm(status: ClassStatus, generation: number = FIRST_GENERATION): StoredClassStatus {
  return {
    ...status,
    observedGeneration: generation,
    conditions: status.conditions.map((condition) => ({ ...condition, observedGeneration: generation })),
  };
}

function withoutGeneration(stored: StoredCondition): Condition {
  const { observedGeneration: _, ...condition } = stored;
  return condition;
}

function isReadySaid(conditions: readonly StoredCondition[]): boolean {
  return conditions.some(({ type }) => type === "Ready");
}

/** Derives `Ready` from `Synced`, with the same transition time. */
function withReady(status: ClassStatus): ClassStatus {
  const synced = status.conditions.find((condition): condition is SyncCondition => condition.type === "Synced");
  return synced === undefined ? status : withSynced(status, synced, { time: synced.lastTransitionTime });
}
