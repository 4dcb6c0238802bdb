import { membersOf } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import type { ManagedFieldsEntry } from "../kubernetes.ts";

/** Keys of the add-on App Routing of AKS: options of a Gateway's listener, annotations of an Ingress. */
export const TLS_KEYS = {
  /** `https://<vault>.<suffix>/certificates/<name>`. */
  address: "kubernetes.azure.com/tls-cert-keyvault-uri",
  /** ServiceAccount of the same namespace, for workload identity. */
  account: "kubernetes.azure.com/tls-cert-service-account",
  /** On an Ingress: `"true"` has `spec.tls` written. */
  managed: "kubernetes.azure.com/tls-cert-keyvault-managed",
} as const;

/** One listener of a Gateway, or the TLS of an Ingress. */
export interface TlsEntry {
  /** Name of the listener; empty for an Ingress. */
  readonly listener: string;
  /** Where its keys stand, for messages. */
  readonly field: string;
  /** Of its class and its Secret. */
  readonly className: string;
  /** Undefined: it asks for nothing. */
  readonly address: string | undefined;
  readonly account: string | undefined;
  /** Why it can have no certificate, and what to write. */
  readonly problem: string | undefined;
  readonly reference: TlsReference;
}

/** What makes the listener or Ingress use a Secret: `certificateRefs`, or `spec.tls`. */
export interface TlsReference {
  readonly field: string;
  /** What it has to be for its Secret to be used; undefined: it is left to others. */
  readonly wanted: readonly JsonObject[] | undefined;
  readonly present: readonly JsonObject[];
  /** `ours`: the Secret alone is used, where it is not wanted, or not for these hosts. */
  readonly current: "none" | "wanted" | "ours" | "other";
  /** Field managers that own it, the worker's aside. */
  readonly managers: readonly string[];
}

export interface ReadOwner {
  /** GatewayClass or IngressClass. */
  readonly className: string;
  readonly entries: readonly TlsEntry[];
}

/** Managers that own the field of the path, or something in it. */
export function managersOf(entries: readonly ManagedFieldsEntry[], path: readonly string[]): readonly string[] {
  const owns = ({ fieldsV1 }: ManagedFieldsEntry): boolean => {
    const last = path.at(-1) ?? "";
    return last in path.slice(0, -1).reduce<JsonObject>((fields, step) => membersOf(fields[step]), fieldsV1 ?? {});
  };
  return entries.filter(owns).map(({ manager = "" }) => manager);
}

const MAX_NAME = 253;

/** Two long names that were cut could become one, and two listeners would fight for it. */
export function nameProblem(className: string, what: string): string | undefined {
  if (className.length <= MAX_NAME) return undefined;
  return `${what}: the Secret ${className.slice(0, 40)}… would have more than ${MAX_NAME} characters in its name; write shorter names`;
}
