/**
 * `SecretProviderClassSync` as the API server has it. Two things are of the object and not of the class: every `observedGeneration` is the
 * object's own, as tools that judge any object expect, and is added when a status is written. Versions before 0.4.0 had the class's there.
 */
import type { KubeObject } from "../kubernetes.ts";
import { countsOf, withSynced } from "./class-status.ts";
import type { ClassStatus, Condition, SyncCondition } from "./status-fields.ts";

/** Our status object: one per synced class, same name. */
export interface SecretProviderClassSync extends KubeObject {
  readonly status?: StoredClassStatus;
}

export type StoredClassStatus = Omit<Partial<ClassStatus>, "conditions"> & {
  /** Of the object itself; before 0.4.0 of the class. */
  readonly observedGeneration?: number;
  readonly conditions?: readonly StoredCondition[];
  /** `1/2`, before 0.4.0. */
  readonly secretsSynced?: string;
};

export type StoredCondition = Condition & { readonly observedGeneration?: number };

/** The generation of an object that has no spec. */
const FIRST_GENERATION = 1;

/** What a stored status says, whichever version wrote it; undefined before it says anything. */
export function readStatus(status: StoredClassStatus | undefined): ClassStatus | undefined {
  if (status === undefined) return undefined;
  const { observedGeneration, secretsSynced: _, conditions = [], secrets = [], ...said } = status;
  const observedClassGeneration = said.observedClassGeneration ?? observedGeneration ?? 0;
  const counts = { ...countsOf(secrets), ...said };
  const read = { ...counts, observedClassGeneration, conditions: conditions.map(withoutGeneration), secrets };
  return isReadySaid(conditions) ? read : withReady(read);
}

/** Whether it is stored as {@link storedForm} has it. */
export function isCurrentForm({ metadata, status }: SecretProviderClassSync): boolean {
  if (status === undefined) return false;
  const { conditions = [], observedGeneration, observedClassGeneration } = status;
  const generation = metadata.generation ?? FIRST_GENERATION;
  return (
    observedClassGeneration !== undefined &&
    [observedGeneration, ...conditions.map((condition) => condition.observedGeneration)].every((observed) => observed === generation)
  );
}

/** What to write into an object of that generation. */
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

/** `Ready` is what `Synced` was, since when it was. */
function withReady(status: ClassStatus): ClassStatus {
  const synced = status.conditions.find((condition): condition is SyncCondition => condition.type === "Synced");
  return synced === undefined ? status : withSynced(status, synced, { time: synced.lastTransitionTime });
}
