import { listAt, memberOf, membersOf, nonEmptyText } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import type { KubeObject, ManagedFieldsEntry } from "../kubernetes.ts";
import { managersOf, nameProblem, type ReadOwner, readKeys, TLS_KEYS, type TlsEntry, type TlsReference } from "./tls-entry.ts";

/** Reads the listeners of a Gateway. The API server keeps their names unique. */
export function readGateway(gateway: KubeObject, others: readonly ManagedFieldsEntry[]): ReadOwner {
  const spec = memberOf(gateway, "spec");
  return {
    className: nonEmptyText(spec["gatewayClassName"]) ?? "",
    entries: listAt(spec, "listeners").map((listener) => readListener(gateway, listener, others)),
  };
}

function readListener({ metadata }: KubeObject, listener: JsonObject, others: readonly ManagedFieldsEntry[]): TlsEntry {
  const name = nonEmptyText(listener["name"]) ?? "";
  const tls = membersOf(listener["tls"]);
  const options = membersOf(tls["options"]);
  const className = `kv-gw-cert-${metadata.name}-${name}`;
  const field = `spec.listeners[${name}].tls.options`;
  const keys = readKeys(options, field);
  const isAsking = keys.address !== undefined;
  const problem = (): string | undefined =>
    nameProblem(className, "metadata.name and the listener's name") ?? modeProblem(name, listener["protocol"], tls["mode"]) ?? keys.problem;
  return {
    ...keys,
    listener: name,
    field,
    className,
    problem: isAsking ? problem() : undefined,
    reference: readReference({ metadata, name, className, isAsking }, tls, others),
  };
}

function modeProblem(name: string, protocol: unknown, mode: unknown): string | undefined {
  if (protocol !== "HTTPS" && protocol !== "TLS")
    return `spec.listeners[${name}].protocol: only HTTPS and TLS listeners use a certificate; write one of them, or remove the option ${TLS_KEYS.address}`;
  if (mode !== "Passthrough") return undefined;
  return `spec.listeners[${name}].tls.mode: Passthrough uses no certificate; write Terminate, or remove the option ${TLS_KEYS.address}`;
}

interface Listener extends Pick<KubeObject, "metadata"> {
  readonly name: string;
  readonly className: string;
  readonly isAsking: boolean;
}

function readReference(
  { metadata, name, className, isAsking }: Listener,
  tls: JsonObject,
  others: readonly ManagedFieldsEntry[],
): TlsReference {
  const refs = listAt(tls, "certificateRefs");
  const [only] = refs;
  const isOurs = refs.length === 1 && only !== undefined && isSecret(only, metadata.namespace) && only["name"] === className;
  return {
    field: `spec.listeners[${name}].tls.certificateRefs`,
    wanted: isAsking ? [{ group: "", kind: "Secret", name: className }] : undefined,
    present: refs,
    current: currentOf(refs.length, { isOurs, isAsking }),
    managers: managersOf(others, ["f:spec", "f:listeners", `k:${JSON.stringify({ name })}`, "f:tls", "f:certificateRefs"]),
  };
}

function currentOf(count: number, { isOurs, isAsking }: { readonly isOurs: boolean; readonly isAsking: boolean }): TlsReference["current"] {
  if (count === 0) return "none";
  if (!isOurs) return "other";
  return isAsking ? "wanted" : "ours";
}

/** Whether a reference names a Secret in the Gateway's namespace. The API server fills in the defaults of group and kind. */
function isSecret({ group = "", kind = "Secret", namespace }: JsonObject, own: string | undefined): boolean {
  return group === "" && kind === "Secret" && (namespace === undefined || namespace === own);
}
