/** Loads the worker's code, for commands that decide as the worker does. With the SDKs, it takes most of the start-up time. */
export async function workerCode() {
  const [{ pki }, { fetchObjects }, { cloudFileReader }, fingerprints, keys, secrets, records, snapshots, handing, guarding] =
    await Promise.all([
      import("../../pki/pki.ts"),
      import("../../sync/vault/fetch-objects.ts"),
      import("../../sync/vault/cloud-files.ts"),
      import("../../sync/fingerprints.ts"),
      import("../../sync/hmac-key.ts"),
      import("../../sync/secrets/secret-store.ts"),
      import("../../sync/healing/stored-record.ts"),
      import("../../sync/healing/snapshots.ts"),
      import("../../sync/healing/hand-over.ts"),
      import("../../sync/guardrails.ts"),
    ]);
  return {
    pki,
    fetchObjects,
    cloudFileReader,
    createFingerprints: fingerprints.createFingerprints,
    hmacKeySecret: keys.HMAC_KEY_SECRET,
    hmacKeyIn: keys.installKeyIn,
    observe: secrets.observeStoredSecret,
    recordIn: records.recordIn,
    snapshotKind: snapshots.SNAPSHOT,
    handOver: handing.handOver,
    tryGuardrails: guarding.tryGuardrails,
  };
}

export type WorkerCode = Awaited<ReturnType<typeof workerCode>>;

/** Checks what the install has written; keeps its key only in memory. */
export type { Fingerprints } from "../../sync/fingerprints.ts";

/** Returns the name under which the worker owns fields; loads nothing else. */
export async function workerFieldManager(): Promise<string> {
  return (await import("../../sync/field-manager.ts")).FIELD_MANAGER;
}
