import { isEqual, type JsonObject, objectAt, stringAt, textOf } from "../json.ts";
import type { Cause } from "../refusal.ts";
import { forbiddenField, IMMUTABLE, invalidValue, required, tooLong } from "./cause.ts";
import { isDataKey } from "./names.ts";

const SECRET_BYTES = 1024 * 1024;

/** Keys that a type of Secret must have. `any`: one of them is enough. */
const REQUIRED_KEYS: Readonly<Record<string, { readonly keys: readonly string[]; readonly any?: boolean }>> = {
  "kubernetes.io/dockercfg": { keys: [".dockercfg"] },
  "kubernetes.io/dockerconfigjson": { keys: [".dockerconfigjson"] },
  "kubernetes.io/basic-auth": { keys: ["username", "password"], any: true },
  "kubernetes.io/tls": { keys: ["tls.crt", "tls.key"] },
};

export function secretCauses(secret: JsonObject): readonly Cause[] {
  const data = objectAt(secret, "data");
  const type = stringAt(secret, "type") ?? "";
  return [...dataCauses(data), ...typeCauses(type, data), ...accountCauses(type, secret), ...jsonCauses(type, data)];
}

function dataCauses(data: JsonObject): readonly Cause[] {
  const bytes = Object.values(data).reduce<number>((sum, value) => sum + Buffer.byteLength(textOf(value), "base64"), 0);
  return [
    ...Object.keys(data).flatMap((key) => isDataKey(key).map((why) => invalidValue(`data[${key}]`, key, why))),
    ...(bytes > SECRET_BYTES ? [tooLong("data", SECRET_BYTES)] : []),
  ];
}

function typeCauses(type: string, data: JsonObject): readonly Cause[] {
  if (type === "kubernetes.io/ssh-auth") return (data["ssh-privatekey"] ?? "") === "" ? [required("data[ssh-privatekey]")] : [];
  const wanted = REQUIRED_KEYS[type];
  const missing = wanted?.keys.filter((key) => !(key in data)) ?? [];
  return wanted?.any === true && missing.length < wanted.keys.length ? [] : missing.map((key) => required(`data[${key}]`));
}

function accountCauses(type: string, secret: JsonObject): readonly Cause[] {
  const key = "kubernetes.io/service-account.name";
  const named = objectAt(objectAt(secret, "metadata"), "annotations")[key] ?? "";
  return type === "kubernetes.io/service-account-token" && named === "" ? [required(`metadata.annotations[${key}]`)] : [];
}

function jsonCauses(type: string, data: JsonObject): readonly Cause[] {
  const key = { "kubernetes.io/dockercfg": ".dockercfg", "kubernetes.io/dockerconfigjson": ".dockerconfigjson" }[type];
  const value = key === undefined ? undefined : stringAt(data, key);
  if (value === undefined) return [];
  try {
    JSON.parse(Buffer.from(value, "base64").toString("utf8"));
    return [];
  } catch {
    return [invalidValue(`data[${key}]`, "<secret contents redacted>", "invalid character")];
  }
}

export function secretChangeCauses(secret: JsonObject, old: JsonObject): readonly Cause[] {
  const why = "field is immutable when `immutable` is set";
  const isFixed = old["immutable"] === true;
  return [
    ...(secret["type"] === old["type"] ? [] : [invalidValue("type", secret["type"], IMMUTABLE)]),
    ...(isFixed && secret["immutable"] !== true ? [forbiddenField("immutable", why)] : []),
    ...(isFixed && !isEqual(secret["data"] ?? null, old["data"] ?? null) ? [forbiddenField("data", why)] : []),
  ];
}
