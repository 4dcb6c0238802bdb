import { SNAPSHOT_ANNOTATIONS } from "../../domain/annotations.ts";
import { COPY_FORMAT, type ComponentCopy } from "../../domain/healing/component-copy.ts";
import { type SignedRecords, type SignedRecordsOptions, startSignedRecords } from "./signed-records.ts";
import type { RecordKind } from "./stored-record.ts";

/** Copies of components, by the component's id, in the install's namespace. */
export type ComponentCopies = SignedRecords<ComponentCopy>;

export const COMPONENT_COPY_LABEL = "component";

/** Signed: whoever may write here must not be able to have the worker apply what they like. */
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
