import assert from "node:assert/strict";
import type { SecretProviderClassSpec } from "../../src/domain/kubernetes.ts";
import { type ProviderClass, parseProviderClass } from "../../src/domain/provider-class/parse.ts";
import type { ClassProblem } from "../../src/domain/provider-class/problem.ts";

export const TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47";

/** Of the class of the extension's documentation, as a client-side apply stores it: `cloudName` without a value is dropped. */
const DOCUMENT_OBJECTS = `array:
  - |
    objectName: DemoSecret
    objectType: secret             # object types: secret, key or cert
    objectVersion: ""              # [OPTIONAL] object versions, default to latest if empty
`;

/** `objects` of a class, with an entry of these lines each. */
export const objectsOf = (...entries: readonly string[]) =>
  `array:\n${entries.map((entry) => `  - |\n${entry.replaceAll(/^/gm, "    ")}\n`).join("")}`;

/** A good class; a test states only what differs. An undefined parameter is left out. */
export function aSpec(changes: Readonly<Record<string, string | undefined>> = {}): SecretProviderClassSpec {
  const given = { usePodIdentity: "false", keyvaultName: "demo-vault", objects: DOCUMENT_OBJECTS, tenantId: TENANT, ...changes };
  return {
    provider: "azure",
    parameters: Object.fromEntries(Object.entries(given).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]]))),
  };
}

/** As the class `akv` of the namespace `shop`, in the public cloud. */
export const parse = (spec: SecretProviderClassSpec | undefined) =>
  parseProviderClass(spec, { owner: "shop/akv", cloudName: "AzurePublicCloud" });

export function accept(changes: Readonly<Record<string, string | undefined>> = {}): ProviderClass {
  const parsed = parse(aSpec(changes));
  assert.equal(parsed.kind, "class", JSON.stringify(parsed));
  return parsed.providerClass;
}

export function refuse(spec: SecretProviderClassSpec | undefined): ClassProblem {
  const parsed = parse(spec);
  assert.equal(parsed.kind, "invalid", JSON.stringify(parsed));
  return parsed.problem;
}
