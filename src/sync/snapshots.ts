import { SNAPSHOT_ANNOTATIONS } from "../domain/annotations.ts";
import { type ClassSnapshot, SNAPSHOT_FORMAT } from "../domain/healing/snapshot.ts";
import { type RecordKind, type SignedRecords, type SignedRecordsOptions, startSignedRecords } from "./signed-records.ts";

/** Class snapshots by `namespace/name` of the class, in the class's namespace. */
export type Snapshots = SignedRecords<ClassSnapshot>;

const SNAPSHOT: RecordKind<ClassSnapshot> = {
  label: "true",
  prefix: "keyvault-injector",
  keyOf: ({ namespace, name }) => `${namespace}/${name}`,
  namespaceOf: ({ namespace }) => namespace,
  annotationsOf: ({ name }) => ({ [SNAPSHOT_ANNOTATIONS.class]: name }),
  revisionOf: ({ generation }) => generation,
  warnForged: (logger, snapshot) => logger.warn("a class snapshot was not written by this install and is ignored", { snapshot }),
  isSound: (snapshot, namespace) => snapshot.namespace === namespace && snapshot.format === SNAPSHOT_FORMAT,
};

export function startSnapshots(options: Omit<SignedRecordsOptions<ClassSnapshot>, "kind">, signal: AbortSignal): Snapshots {
  return startSignedRecords({ ...options, kind: SNAPSHOT }, signal);
}
