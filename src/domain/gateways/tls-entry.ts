import { membersOf, nonEmptyText } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import type { ManagedFieldsEntry } from "../kubernetes.ts";
import { MAX_ADDRESS_CHARACTERS } from "./certificate-address.ts";

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

/** What the keys among options or annotations say. A text that is too long is held as an empty one: what asks still asks. */
export function readKeys(values: JsonObject, field: string): Pick<TlsEntry, "address" | "account" | "problem"> {
  const address = nonEmptyText(values[TLS_KEYS.address]);
  const account = nonEmptyText(values[TLS_KEYS.account]);
  const isLong = { address: (address ?? "").length > MAX_ADDRESS_CHARACTERS, account: (account ?? "").length > MAX_NAME };
  const tooLong = (key: string, most: number, fix: string) => `${field}: ${key} has more than ${most} characters; ${fix}`;
  const addressProblem = tooLong(TLS_KEYS.address, MAX_ADDRESS_CHARACTERS, "write only the certificate's address");
  const accountProblem = tooLong(TLS_KEYS.account, MAX_NAME, "write the name of a ServiceAccount");
  return {
    address: isLong.address ? "" : address,
    account: isLong.account ? "" : account,
    problem: isLong.address ? addressProblem : isLong.account ? accountProblem : undefined,
  };
}

/** Its Secret alone is used, and nobody else wrote that: the reference is the worker's own if the class of that name is. */
export function isOwnReference({ reference: { current, managers } }: TlsEntry): boolean {
  return (current === "ours" || current === "wanted") && managers.length === 0;
}

/** Two long names that were cut could become one, and two listeners would fight for it. */
export function nameProblem(className: string, what: string): string | undefined {
  if (className.length <= MAX_NAME) return undefined;
  return `${what}: the Secret ${className.slice(0, 40)}… would have more than ${MAX_NAME} characters in its name; write shorter names`;
}
