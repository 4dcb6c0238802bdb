import { listAt, memberOf, nonEmptyText } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { managersOf, nameProblem, type ReadOwner, readKeys, TLS_KEYS, type TlsEntry, type TlsReference } from "./tls-entry.ts";

/** Older annotation that names the class of an Ingress. */
const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

/** Reads the TLS of an Ingress. The API server treats `spec.tls` as one value: the owner of any part owns all of it. */
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
  const field = "metadata.annotations";
  const keys = readKeys(annotations, field);
  const isAsking = keys.address !== undefined;
  const isWritten = isAsking && annotations[TLS_KEYS.managed]?.toLowerCase() === "true";
  const hosts = isWritten ? hostsOf(spec) : [];
  const tooMany = hostsProblem(hosts.length, className);
  const wanted = isWritten && tooMany === undefined ? [{ hosts, secretName: className }] : undefined;
  return {
    ...keys,
    listener: "",
    field,
    className,
    problem: isAsking ? (nameProblem(className, "metadata.name") ?? keys.problem ?? tooMany) : undefined,
    reference: {
      field: "spec.tls",
      wanted,
      present: listAt(spec, "tls"),
      current: currentOf(listAt(spec, "tls"), className, wanted),
      managers: managersOf(others, ["f:spec", "f:tls"]),
    },
  };
}

/** A certificate rarely has more hosts. The limit bounds memory, because the worker keeps the hosts until it writes them. */
const MAX_HOSTS = 64;

function hostsProblem(count: number, className: string): string | undefined {
  if (count <= MAX_HOSTS) return undefined;
  return `spec.rules: ${count} hosts exceed the ${MAX_HOSTS} that the worker writes into spec.tls; split the Ingress, or remove ${TLS_KEYS.managed} and name the Secret ${className} in spec.tls`;
}

/** Returns the hosts of the rules, each once. */
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
