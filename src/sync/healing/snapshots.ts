import { SNAPSHOT_ANNOTATIONS } from "../../domain/annotations.ts";
import { type ClassSnapshot, type CrdIdentity, canonical, classSnapshotOf, SNAPSHOT_FORMAT } from "../../domain/healing/snapshot.ts";
import { objectKey } from "../../domain/object-key.ts";
import { type HeldClass, MAX_CLASS_CHARACTERS, wholeClass } from "../../domain/provider-class/held-class.ts";
import { type SignedRecords, type SignedRecordsOptions, startSignedRecords } from "./signed-records.ts";
import type { RecordKind } from "./stored-record.ts";

/** Class snapshots by `namespace/name` of the class, in the namespace of the class. */
export interface Snapshots extends SignedRecords<ClassSnapshot> {
  /** Whether the snapshot equals the class as it is, under this CRD. For the same object, a repeated check costs nothing. */
  isCurrent(provider: HeldClass, crd: CrdIdentity): boolean;
}

/** Number of characters that a snapshot has in addition to those of its class. */
const OWN_CHARACTERS = 1_024;

export const SNAPSHOT: RecordKind<ClassSnapshot> = {
  label: "true",
  prefix: "keyvault-injector",
  keyOf: ({ namespace, name }) => `${namespace}/${name}`,
  namespaceOf: ({ namespace }) => namespace,
  annotationsOf: ({ name }) => ({ [SNAPSHOT_ANNOTATIONS.class]: name }),
  revisionOf: ({ generation }) => generation,
  mostCharacters: MAX_CLASS_CHARACTERS + OWN_CHARACTERS,
  warnForged: (logger, { snapshot, why }) =>
    logger.warn("a class snapshot was not written by this install and is ignored", { snapshot, why }),
  isSound: (snapshot, namespace) => snapshot.namespace === namespace && snapshot.format === SNAPSHOT_FORMAT,
};

export function startSnapshots(options: Omit<SignedRecordsOptions<ClassSnapshot>, "kind">, signal: AbortSignal): Snapshots {
  const records = startSignedRecords({ ...options, kind: SNAPSHOT }, signal);
  return {
    ...records,
    get hasSynced() {
      return records.hasSynced;
    },
    isCurrent: currency(records),
  };
}

interface Compared extends CrdIdentity {
  readonly text: string;
}

function currency(records: SignedRecords<ClassSnapshot>): Snapshots["isCurrent"] {
  const equal = new WeakMap<HeldClass, Compared>();
  return (provider, { crdUid, crdGeneration }) => {
    const text = records.textOf(objectKey(provider.metadata));
    if (text === undefined) return false;
    const known = equal.get(provider);
    if (known?.text === text && known.crdUid === crdUid && known.crdGeneration === crdGeneration) return true;
    const isEqual = canonical(classSnapshotOf(wholeClass(provider), { crdUid, crdGeneration })) === text;
    if (isEqual) equal.set(provider, { text, crdUid, crdGeneration });
    return isEqual;
  };
}
