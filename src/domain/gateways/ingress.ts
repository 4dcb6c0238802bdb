import { listAt, memberOf, nonEmptyText } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { managersOf, nameProblem, type ReadOwner, TLS_KEYS, type TlsEntry, type TlsReference } from "./tls-entry.ts";

/** The older way to name the class of an Ingress. */
const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

/** `spec.tls` is one value to the API server: who owns any of it owns all. */
export function readIngress(ingress: KubeObject, others: readonly ManagedFieldsEntry[]): ReadOwner {
  const spec = memberOf(ingress, "spec");
  const { annotations = {} } = ingress.metadata;
  return {
    className: nonEmptyText(spec["ingressClassName"]) ?? annotations[CLASS_ANNOTATION] ?? "",
    entries: [readTls(ingress, spec, others)],
  };
}

function readTls({ metadata }: KubeObject, spec: JsonObject, others: readonly ManagedFieldsEntry[]): TlsEntry {
  const { annotations = {} } = metadata;
  const className = `keyvault-${metadata.name}`;
  const address = nonEmptyText(annotations[TLS_KEYS.address]);
  const isWritten = address !== undefined && annotations[TLS_KEYS.managed]?.toLowerCase() === "true";
  const wanted = isWritten ? [{ hosts: hostsOf(spec), secretName: className }] : undefined;
  return {
    listener: "",
    field: "metadata.annotations",
    className,
    address,
    account: nonEmptyText(annotations[TLS_KEYS.account]),
    problem: address === undefined ? undefined : nameProblem(className, "metadata.name"),
    reference: {
      field: "spec.tls",
      wanted,
      present: listAt(spec, "tls"),
      current: currentOf(listAt(spec, "tls"), className, wanted),
      managers: managersOf(others, ["f:spec", "f:tls"]),
    },
  };
}

/** Of its rules, each once. */
function hostsOf(spec: JsonObject): readonly string[] {
  return [...new Set(listAt(spec, "rules").flatMap(({ host }) => nonEmptyText(host) ?? []))];
}

function currentOf(tls: readonly JsonObject[], className: string, wanted: TlsReference["wanted"]): TlsReference["current"] {
  const [first] = tls;
  if (first === undefined) return "none";
  if (!tls.some(({ secretName }) => secretName === className)) return "other";
  if (tls.length > 1) return wanted === undefined ? "other" : "wanted";
  const isWanted = wanted !== undefined && JSON.stringify(first["hosts"] ?? []) === JSON.stringify(wanted[0]?.["hosts"]);
  return isWanted ? "wanted" : "ours";
}
