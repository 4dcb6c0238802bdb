import { membersOf, nonEmptyText } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import type { ManagedFieldsEntry } from "../kubernetes.ts";
import { MAX_ADDRESS_CHARACTERS } from "./certificate-address.ts";

/** Keys of the add-on App Routing of AKS: options of a Gateway's listener, annotations of an Ingress. */
export const TLS_KEYS = {
  /** `https://<vault>.<suffix>/certificates/<name>`. */
  address: "kubernetes.azure.com/tls-cert-keyvault-uri",
  /** ServiceAccount in the same namespace, for workload identity. */
  account: "kubernetes.azure.com/tls-cert-service-account",
  /** On an Ingress: `"true"` makes the worker write `spec.tls`. */
  managed: "kubernetes.azure.com/tls-cert-keyvault-managed",
} as const;

/** One listener of a Gateway, or the TLS of an Ingress. */
export interface TlsEntry {
  /** Name of the listener; empty for an Ingress. */
  readonly listener: string;
  /** Path of its keys, for messages. */
  readonly field: string;
  /** Name of its class and its Secret. */
  readonly className: string;
  /** Undefined if the entry requests no certificate. */
  readonly address: string | undefined;
  readonly account: string | undefined;
  /** Reason why it cannot have a certificate, and the fix. */
  readonly problem: string | undefined;
  readonly reference: TlsReference;
}

/** The field that makes the listener or Ingress use a Secret: `certificateRefs`, or `spec.tls`. */
export interface TlsReference {
  readonly field: string;
  /** Content that makes the owner use the Secret; undefined if others write the field. */
  readonly wanted: readonly JsonObject[] | undefined;
  readonly present: readonly JsonObject[];
  /** `ours`: the field uses only the Secret, although the Secret is not wanted, or is wanted for other hosts. */
  readonly current: "none" | "wanted" | "ours" | "other";
  /** Field managers that own the field, without the worker. */
  readonly managers: readonly string[];
}

export interface ReadOwner {
  /** GatewayClass or IngressClass. */
  readonly className: string;
  readonly entries: readonly TlsEntry[];
}

/** Returns the managers that own the field at the path, or a part of it. */
export function managersOf(entries: readonly ManagedFieldsEntry[], path: readonly string[]): readonly string[] {
  const owns = ({ fieldsV1 }: ManagedFieldsEntry): boolean => {
    const last = path.at(-1) ?? "";
    return last in path.slice(0, -1).reduce<JsonObject>((fields, step) => membersOf(fields[step]), fieldsV1 ?? {});
  };
  return entries.filter(owns).map(({ manager = "" }) => manager);
}

const MAX_NAME = 253;

/** Reads the keys from options or annotations. Replaces a text that is too long with an empty one, so that the request is still visible. */
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

/**
 * Whether the field uses only the Secret, and no one but the worker wrote it. The reference is the worker's own if the class with that name
 * is.
 */
export function isOwnReference({ reference: { current, managers } }: TlsEntry): boolean {
  return (current === "ours" || current === "wanted") && managers.length === 0;
}

/** Explains why the name is too long. Shortened names could be equal, and then two listeners would compete for one Secret. */
export function nameProblem(className: string, what: string): string | undefined {
  if (className.length <= MAX_NAME) return undefined;
  return `${what}: the Secret ${className.slice(0, 40)}… would have more than ${MAX_NAME} characters in its name; write shorter names`;
}
