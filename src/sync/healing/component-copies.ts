import { SNAPSHOT_ANNOTATIONS } from "../../domain/annotations.ts";
import { COPY_FORMAT, type ComponentCopy } from "../../domain/healing/component-copy.ts";
import { type SignedRecords, type SignedRecordsOptions, startSignedRecords } from "./signed-records.ts";
import type { RecordKind } from "./stored-record.ts";

/** Component copies by component id, in the namespace of the install. */
export type ComponentCopies = SignedRecords<ComponentCopy>;

export const COMPONENT_COPY_LABEL = "component";

/**
 * Returns the record kind of component copies. They are signed, so that a user who can write in this namespace cannot choose what the
 * worker applies.
 */
export function copyRecords(installNamespace: string): RecordKind<ComponentCopy> {
  return {
    label: COMPONENT_COPY_LABEL,
    prefix: "keyvault-injector-component",
    keyOf: ({ id }) => id,
    namespaceOf: () => installNamespace,
    annotationsOf: ({ id }) => ({ [SNAPSHOT_ANNOTATIONS.component]: id }),
    revisionOf: () => 1,
    warnForged: (logger, { snapshot, why }) =>
      logger.warn("a copy of a component was not written by this install and is ignored", { snapshot, why }),
    isSound: ({ format }, namespace) => format === COPY_FORMAT && namespace === installNamespace,
  };
}

export function startComponentCopies(
  options: Omit<SignedRecordsOptions<ComponentCopy>, "kind" | "namespace"> & { readonly namespace: string },
  signal: AbortSignal,
): ComponentCopies {
  return startSignedRecords({ ...options, kind: copyRecords(options.namespace) }, signal);
}
