/** Converts `AzureKeyVaultSecret` of akv2k8s, in the group `spv.no`. */
import { CLASS_ANNOTATIONS } from "../annotations.ts";
import { itemsIn, memberOf, nonEmptyText } from "../json-members.ts";
import { isJsonObject, type JsonObject } from "../json-object.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { carriedTexts } from "./carried-texts.ts";
import {
  call,
  type DraftObject,
  type DraftValue,
  type FunctionName,
  fileOf,
  type SecretDraft,
  type Texts,
  type VaultAccess,
} from "./class-draft.ts";
import type { Drafting } from "./drafting.ts";
import type { AccessOptions } from "./options.ts";
import { type ConversionRemark, type ConversionTrouble, errorOn, type FieldPath, type PeerObject, warningOn } from "./peer-object.ts";
import { isVaultName, vaultNameProblem } from "./remote-ref.ts";
import { managedIdentity } from "./secret-store.ts";

type Entry = SecretDraft["entries"][number];

export function draftOfKeyVaultSecret(on: PeerObject, options: AccessOptions): Drafting {
  const spec = memberOf(on.object, "spec");
  const output = memberOf(memberOf(spec, "output"), "secret");
  const configMap = isJsonObject(memberOf(spec, "output")["configMap"]) ? [errorOn(on, AS_CONFIG_MAP)] : [];
  if (Object.keys(output).length === 0) return { draft: undefined, remarks: configMap.length > 0 ? configMap : [errorOn(on, NO_OUTPUT)] };
  const access = vaultAccess(spec, options);
  const entries = entriesOf(spec, output);
  const name = nameOf(output);
  const metadata = metadataOf(on);
  const troubles = [access, entries, name].flatMap((each) => (each.ok ? [] : [errorOn(on, each.error)]));
  const remarks = [...configMap, ...troubles, ...metadata.remarks];
  if (!access.ok || !entries.ok || !name.ok) return { draft: undefined, remarks };
  const { labels, annotations } = metadata;
  const secret: SecretDraft = { name: name.value, type: typeOf(output), labels, annotations, entries: entries.value.entries };
  const draft = { name: name.value, namespace: on.namespace, access: access.value, annotations: {}, secrets: [secret] };
  return { draft, remarks: [...remarks, ...entries.value.warnings.map((trouble) => warningOn(on, trouble))] };
}

const AS_CONFIG_MAP: ConversionTrouble = {
  path: ["spec", "output", "configMap"],
  message: "spec.output.configMap: a class creates only Secrets; change the readers of the ConfigMap to read a Secret",
};
const NO_OUTPUT: ConversionTrouble = {
  path: ["spec", "output"],
  message:
    "spec.output.secret is missing, so the object is for the env-injector, which puts values into processes; write a class, and env-from on the pods",
};

function nameOf(output: JsonObject): Result<string, ConversionTrouble> {
  const name = nonEmptyText(output["name"]);
  if (name !== undefined) return ok(name);
  return failed({ path: ["spec", "output", "secret", "name"], message: "spec.output.secret.name is missing; name the Secret" });
}

/** Returns the labels and annotations of the object itself, because akv2k8s copies them. */
function metadataOf(on: PeerObject): {
  readonly labels: Texts;
  readonly annotations: Texts;
  readonly remarks: readonly ConversionRemark[];
} {
  const metadata = memberOf(on.object, "metadata");
  const labels = carriedTexts(on, ["metadata", "labels"], metadata["labels"]);
  const annotations = carriedTexts(on, ["metadata", "annotations"], metadata["annotations"]);
  return { labels: labels.texts, annotations: annotations.texts, remarks: [...labels.remarks, ...annotations.remarks] };
}

/** Returns vault and identity. The manifest names only the vault: akv2k8s takes tenant and identity from the settings of its controller. */
function vaultAccess(
  spec: JsonObject,
  { tenantId, clientId, serviceAccount, identityId }: AccessOptions,
): Result<VaultAccess, ConversionTrouble> {
  const path = ["spec", "vault", "name"];
  const name = nonEmptyText(memberOf(spec, "vault")["name"]);
  if (name === undefined) return failed({ path, message: "spec.vault.name is missing; name the vault" });
  if (tenantId === undefined)
    return failed({ path, message: "spec.vault: akv2k8s sets the vault's tenant elsewhere, but a class needs it; use --tenant-id" });
  if (clientId !== undefined && serviceAccount === undefined)
    return failed({
      path,
      message: "spec.vault: --client-id is for workload identity, which also needs an account; use --service-account",
    });
  const vault = { keyvaultName: name, tenantID: tenantId };
  if (clientId === undefined) return ok({ parameters: { ...vault, ...managedIdentity(identityId) }, annotations: {} });
  const annotations: Record<string, string> = serviceAccount === undefined ? {} : { [CLASS_ANNOTATIONS.serviceAccount]: serviceAccount };
  return ok({ parameters: { ...vault, clientID: clientId }, annotations });
}

function typeOf(output: JsonObject): string {
  return nonEmptyText(output["type"]) ?? "Opaque";
}

type Entries = Result<{ readonly entries: readonly Entry[]; readonly warnings: readonly ConversionTrouble[] }, ConversionTrouble>;

const OBJECT: FieldPath = ["spec", "vault", "object"];

function entriesOf(spec: JsonObject, output: JsonObject): Entries {
  const object = memberOf(memberOf(spec, "vault"), "object");
  const name = nonEmptyText(object["name"]) ?? "";
  const version = nonEmptyText(object["version"]);
  if (!isVaultName(name)) return failed({ path: [...OBJECT, "name"], message: `spec.vault.object.name: ${vaultNameProblem(name)}` });
  const fetched = { name, ...(version === undefined ? {} : { version }) };
  const type = nonEmptyText(object["type"]) ?? "";
  const at = (message: string): Entries => failed({ path: [...OBJECT, "type"], message: `spec.vault.object.type: ${message}` });
  switch (type) {
    case "secret":
      return secretEntries(fetched, { output, transforms: itemsIn(memberOf(spec, "output")["transform"]) });
    case "certificate":
      return certificateEntries(fetched, output);
    case "key":
      return at(
        "akv2k8s writes the modulus of the key, but a class writes the public key as PEM; if PEM is acceptable, write a class with objectType: key",
      );
    case "multi-key-value-secret":
      return at("only the vault knows the keys; write a class with one key of secretData with property for each of them");
    default:
      return at(`${quoted(type)} is unknown; write secret or certificate`);
  }
}

interface Fetched {
  readonly name: string;
  readonly version?: string;
}

const TRANSFORMS: ReadonlyMap<unknown, FunctionName> = new Map([
  ["trim", "trim"],
  ["base64encode", "base64"],
  ["base64decode", "base64decode"],
]);

/** The only key that akv2k8s fills in a Secret of this type. It ignores `dataKey`. */
export const KEY_OF_TYPE: ReadonlyMap<string, string> = new Map([
  ["kubernetes.io/dockerconfigjson", ".dockerconfigjson"],
  ["kubernetes.io/dockercfg", ".dockercfg"],
  ["kubernetes.io/ssh-auth", "ssh-privatekey"],
]);

const SPLIT =
  "spec.output.secret.type: akv2k8s splits the value at its colon, which no expression can do; store user and password as two secrets, or as JSON, and write a class with two keys";

function secretEntries(
  fetched: Fetched,
  { output, transforms }: { readonly output: JsonObject; readonly transforms: readonly unknown[] },
): Entries {
  const type = typeOf(output);
  if (type === "kubernetes.io/basic-auth") return failed({ path: TYPE, message: SPLIT });
  if (type === "kubernetes.io/tls")
    return transforms.length > 0 ? failed({ path: TRANSFORM, message: TLS_TRANSFORM }) : tlsSecretEntries(fetched, output);
  const key = dataKey(output, KEY_OF_TYPE.get(type));
  if (!key.ok) return key;
  let value: DraftValue = fileOf({ type: "secret", ...fetched, format: "pfx" });
  for (const [index, transform] of transforms.entries()) {
    const name = TRANSFORMS.get(transform);
    if (name === undefined)
      return failed({
        path: [...TRANSFORM, index],
        message: `spec.output.transform[${index}] is unknown; write trim, base64encode or base64decode`,
      });
    value = call(name, value);
  }
  return ok({ entries: [{ key: key.value, value }], warnings: [] });
}

const TYPE: FieldPath = ["spec", "output", "secret", "type"];
const TRANSFORM: FieldPath = ["spec", "output", "transform"];
const TLS_TRANSFORM = "spec.output.transform: certificates are not transformed; store the certificate in its transformed form";

const OF_CERTIFICATE =
  "spec.vault.object.type: treated as the secret of a certificate; if it is a PKCS#12 file stored as an ordinary secret, import it as a certificate";
const CHAIN =
  "spec.output.secret.chainOrder: without it, akv2k8s keeps the order of the stored file, but a class writes the chain with the leaf first";

/**
 * The class splits the certificate itself. Binary PKCS#12 would work for other secrets, too. But then the PEM contains the attributes of
 * the bags, because a class returns the same bytes as the driver. The PEM of akv2k8s does not contain them.
 */
function tlsEntries(fetched: Fetched, output: JsonObject): Entries {
  const chain = { path: ["spec", "output", "secret"], message: CHAIN };
  return ok({
    entries: tlsKeys({ type: "secret", ...fetched }),
    warnings: output["chainOrder"] === "ensureserverfirst" ? [] : [chain],
  });
}

function tlsSecretEntries(fetched: Fetched, output: JsonObject): Entries {
  const read = tlsEntries(fetched, output);
  const warning = { path: [...OBJECT, "type"], message: OF_CERTIFICATE };
  return read.ok ? ok({ entries: read.value.entries, warnings: [warning, ...read.value.warnings] }) : read;
}

function tlsKeys(object: DraftObject): readonly Entry[] {
  return ["tls.crt", "tls.key"].map((key) => ({ key, value: fileOf(object) }));
}

const STORED_PEM =
  "spec.output.secret.type: treated as a certificate that the vault stores as PKCS#12; remove objectFormat and objectEncoding if it is stored as PEM";

/** Returns certificates and key for type TLS, the stored value for type Opaque, and otherwise only the certificate. */
function certificateEntries(fetched: Fetched, output: JsonObject): Entries {
  const secret: DraftObject = { type: "secret", ...fetched };
  if (output["type"] === "kubernetes.io/tls") return tlsEntries(fetched, output);
  const key = dataKey(output, undefined);
  if (!key.ok) return key;
  const isRaw = output["type"] === "Opaque";
  const value = fileOf(isRaw ? { ...secret, format: "pfx", encoding: "base64" } : { type: "cert", ...fetched });
  return ok({ entries: [{ key: key.value, value }], warnings: isRaw ? [{ path: TYPE, message: STORED_PEM }] : [] });
}

function dataKey(output: JsonObject, fixed: string | undefined): Result<string, ConversionTrouble> {
  const key = fixed ?? nonEmptyText(output["dataKey"]);
  if (key !== undefined) return ok(key);
  return failed({
    path: ["spec", "output", "secret", "dataKey"],
    message: "spec.output.secret.dataKey is missing; name the key of the Secret",
  });
}
