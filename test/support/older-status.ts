import { type ObjectRef, RESOURCES } from "../../src/domain/kubernetes.ts";
import type { ClassStatus, SecretStatus } from "../../src/domain/sync/class-status.ts";
import { readStatus, type SecretProviderClassSync, type StoredClassStatus } from "../../src/domain/sync/stored-status.ts";
import { FIELD_MANAGER } from "../../src/sync/field-manager.ts";
import type { SimulatedWorld } from "./simulation/world.ts";

const NEW_TYPES: ReadonlySet<string> = new Set(["Ready", "Reconciling", "Stalled"]);
const KIND = RESOURCES.secretProviderClassSyncs;

/** The status as 0.2.0 and 0.3.0 stored it: the class's generation everywhere, one text for two numbers, no `Ready` and no hashes. */
export function olderForm(status: ClassStatus): StoredClassStatus {
  const { observedClassGeneration: observedGeneration, syncedSecrets, desiredSecrets, conditions, secrets, ...said } = status;
  return {
    ...said,
    observedGeneration,
    conditions: conditions.filter(({ type }) => !NEW_TYPES.has(type)).map((condition) => ({ ...condition, observedGeneration })),
    secretsSynced: `${syncedSecrets}/${desiredSecrets}`,
    secrets: secrets.map(withoutHash),
  };
}

function withoutHash(secret: SecretStatus): SecretStatus {
  const { specHash: _, ...said } = secret;
  return said;
}

/** Has the stored status of a class be as an older worker, that leads no more, wrote it. */
export async function storeAsBefore(world: SimulatedWorld, ref: ObjectRef): Promise<void> {
  const stored = world.cluster.get<SecretProviderClassSync>(KIND, ref);
  const status = readStatus(stored?.status);
  if (status === undefined) throw new Error(`${ref.name} has no status`);
  const body = { apiVersion: `${KIND.group}/${KIND.version}`, kind: KIND.kind, metadata: { ...ref }, status: olderForm(status) };
  const by = { fieldManager: FIELD_MANAGER, force: true, subresource: "status" as const };
  await world.cluster.client.apply(KIND, body, by, new AbortController().signal);
}
