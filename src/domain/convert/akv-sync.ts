/** Converts `AKVSync` of the Secret Store extension of Azure Arc. The extension creates a class and its SecretSyncs from it. */
import { CLASS_ANNOTATIONS } from "../annotations.ts";
import { itemsIn, memberOf, membersOf, nonEmptyText } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import { MAX_VERSIONS } from "../provider-class/class-limits.ts";
import { failed, ok, type Result } from "../result.ts";
import { TLS_TYPE } from "../secret-objects/tls.ts";
import { KEY_OF_TYPE } from "./azure-key-vault-secret.ts";
import { carriedTexts } from "./carried-texts.ts";
import { type DraftValue, fileOf, type SecretDraft } from "./class-draft.ts";
import type { Drafting } from "./drafting.ts";
import {
  type ConversionRemark,
  type ConversionTrouble,
  errorOn,
  type FieldPath,
  fieldText,
  type PeerObject,
  warningOn,
} from "./peer-object.ts";
import { isVaultName, vaultNameProblem } from "./remote-ref.ts";

type Entry = SecretDraft["entries"][number];

export function draftOfAkvSync(on: PeerObject): Drafting {
  const spec = memberOf(on.object, "spec");
  const [keyvaultName, clientID, tenantID, account] = ["keyvaultName", "clientID", "tenantID", "serviceAccountName"].map((field) =>
    nonEmptyText(spec[field]),
  );
  if (keyvaultName === undefined || clientID === undefined || tenantID === undefined || account === undefined) {
    const message = "spec: keyvaultName, clientID, tenantID, and serviceAccountName are required; complete them";
    return { draft: undefined, remarks: [errorOn(on, { path: ["spec"], message })] };
  }
  const remarks: ConversionRemark[] = [];
  const secrets: SecretDraft[] = [];
  for (const [index, item] of itemsIn(spec["objects"]).entries()) {
    const read = secretsOf(on, membersOf(item), ["spec", "objects", index]);
    secrets.push(...read.secrets);
    remarks.push(...read.remarks);
  }
  const access = { parameters: { keyvaultName, tenantID, clientID }, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: account } };
  return { draft: { name: on.name, namespace: on.namespace, access, annotations: {}, secrets }, remarks };
}

interface ReadSecrets {
  readonly secrets: readonly SecretDraft[];
  readonly remarks: readonly ConversionRemark[];
}

/** Reads one entry of `objects`, which usually yields one Secret. */
function secretsOf(on: PeerObject, item: JsonObject, path: FieldPath): ReadSecrets {
  const labels = carriedTexts(on, [...path, "labels"], item["labels"]);
  const annotations = carriedTexts(on, [...path, "annotations"], item["annotations"]);
  const type = nonEmptyText(item["kubernetesSecretType"]) ?? "Opaque";
  const entries = item["mapping"] === undefined ? plainEntries(item, type, path) : mappedEntries(item, path);
  const own = [...labels.remarks, ...annotations.remarks];
  if (!entries.ok) return { secrets: [], remarks: [...own, errorOn(on, entries.error)] };
  const secrets = entries.value.map(({ name, entries }) => ({ name, type, labels: labels.texts, annotations: annotations.texts, entries }));
  const versioned =
    (countIn(item["versionHistory"], 1) ?? 1) > 1 ||
    itemsIn(item["mapping"]).some((entry) => (countIn(membersOf(entry)["version"], 0) ?? 0) > 0);
  const message = `${fieldText(path)}: the Secret is created once the vault has as many versions as this names`;
  return { secrets, remarks: versioned ? [...own, warningOn(on, { path, message })] : own };
}

type Named = Result<readonly { readonly name: string; readonly entries: readonly Entry[] }[], ConversionTrouble>;

/** Reads a number of versions, or the index of a version. Undefined if it is not a whole number, or is more than a class fetches. */
function countIn(value: unknown, otherwise: number): number | undefined {
  if (value === undefined || value === null) return otherwise;
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < MAX_VERSIONS ? value : undefined;
}

function countTrouble(path: FieldPath, field: string): { readonly ok: false; readonly error: ConversionTrouble } {
  return failed({ path, message: `${fieldText(path)}.${field}: write a whole number below ${MAX_VERSIONS}` });
}

const BASIC_AUTH = "kubernetes.io/basic-auth";

/** Returns an object with its versions in the keys `v0`, `v1`, and so on. For type TLS, each version becomes its own Secret. */
function plainEntries(item: JsonObject, type: string, path: FieldPath): Named {
  const source = sourceOf(item, path);
  if (!source.ok) return source;
  const { name, isCertificate } = source.value;
  if (type === BASIC_AUTH || (type === TLS_TYPE && !isCertificate))
    return failed({
      path,
      message: `${fieldText(path)}.kubernetesSecretType: ${type} has fixed keys; write a mapping with a dataKey for each`,
    });
  const count = Math.max(1, countIn(item["versionHistory"], 1) ?? 0);
  if (countIn(item["versionHistory"], 1) === undefined) return countTrouble(path, "versionHistory");
  const values = Array.from({ length: count }, (_, index) => fileOfVersion(name, { index, count }));
  const secretName = nonEmptyText(item["kubernetesSecretName"]) ?? name;
  if (!isCertificate || type !== TLS_TYPE)
    return ok([{ name: secretName, entries: values.map((value, index) => ({ key: keyOf(type, index), value })) }]);
  return ok(
    values.map((value, index) => ({
      name: item["versionHistory"] === undefined ? secretName : `${secretName}-v${index}`,
      entries: ["tls.crt", "tls.key"].map((key) => ({ key, value })),
    })),
  );
}

/** Returns the key of a version. A type with a fixed key uses that key for the latest version. */
function keyOf(type: string, index: number): string {
  return index === 0 ? (KEY_OF_TYPE.get(type) ?? "v0") : `v${index}`;
}

function mappedEntries(item: JsonObject, path: FieldPath): Named {
  const name = nonEmptyText(item["kubernetesSecretName"]);
  if (name === undefined) return failed({ path, message: `${fieldText(path)}.kubernetesSecretName is missing; name the Secret` });
  const entries: Entry[] = [];
  for (const [index, each] of itemsIn(item["mapping"]).entries()) {
    const at = [...path, "mapping", index];
    const mapped = membersOf(each);
    const source = sourceOf(mapped, at);
    if (!source.ok) return source;
    const key = nonEmptyText(mapped["dataKey"]);
    if (key === undefined) return failed({ path: at, message: `${fieldText(at)}.dataKey is missing; name the key of the Secret` });
    const version = countIn(mapped["version"], 0);
    if (version === undefined) return countTrouble(at, "version");
    entries.push({ key, value: fileOfVersion(source.value.name, { index: version, count: version + 1 }) });
  }
  return ok([{ name, entries }]);
}

function sourceOf(
  item: JsonObject,
  path: FieldPath,
): Result<{ readonly name: string; readonly isCertificate: boolean }, ConversionTrouble> {
  const [secret, certificate] = [nonEmptyText(item["secretInAKV"]), nonEmptyText(item["certInAKV"])];
  const name = secret ?? certificate;
  if (name === undefined || (secret !== undefined && certificate !== undefined))
    return failed({ path, message: `${fieldText(path)}: names no object; write secretInAKV or certInAKV` });
  if (!isVaultName(name)) return failed({ path, message: `${fieldText(path)}: ${vaultNameProblem(name)}` });
  return ok({ name, isCertificate: certificate !== undefined });
}

/** Names the file of one version. A history has its versions newest first, in the order of the extension. */
function fileOfVersion(name: string, { index, count }: { readonly index: number; readonly count: number }): DraftValue {
  if (count === 1) return fileOf({ type: "secret", name });
  return fileOf({ type: "secret", name, history: count }, index);
}
