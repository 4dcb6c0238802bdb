import type { z } from "zod";

import type { Exchange } from "../network/exchange.ts";
import {
  bodyInvalid,
  nameInvalid,
  nameTakenByCertificate,
  objectNotFound,
  secretDisabled,
  type VaultError,
  valueInvalid,
} from "./errors.ts";
import { found, isName, type Operation, type ReadModel, readOperation, refused } from "./read-operations.ts";
import type { StoredSecret } from "./secret-collection.ts";
import { bundleOf, itemOf, propertiesOf, setBody, updateBody, versionOf } from "./secret-wire.ts";

/** 25 KB: https://learn.microsoft.com/azure/key-vault/secrets/about-secrets */
const MAX_VALUE_BYTES = 25_600;

const model: ReadModel<StoredSecret> = {
  kind: "secrets",
  collection: (vault) => vault.secrets,
  // Expired and not yet valid versions are returned, with their attributes: the dates are informational for secrets.
  get: (secret, vault) => (secret.enabled ? { ok: true, body: bundleOf(secret, vault.url) } : refused(secretDisabled())),
  item: itemOf,
  versionItem: versionOf,
};

/** The operation a path and method name, or undefined. Paths: https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups */
export function secretOperation({ method, segments }: Exchange): Operation | undefined {
  if (method === "GET") return readOperation(model, segments);
  const [, name, part, ...more] = segments;
  if (name === undefined || part === "versions" || more.length > 0) return undefined;
  switch (method) {
    case "PUT":
      return part === undefined ? setSecret(name) : undefined;
    case "DELETE":
      return part === undefined ? deleteSecret(name) : undefined;
    case "PATCH":
      return updateSecret(name, part);
    default:
      return undefined;
  }
}

function setSecret(name: string): Operation {
  return {
    permission: "secrets/set",
    run: ({ body }, vault) => {
      const parsed = parseBody(body, setBody);
      if (!parsed.ok) return parsed;
      if (!isName(name)) return refused(nameInvalid(name));
      if (vault.certificates.find(name) !== undefined) return refused(nameTakenByCertificate(name));
      const { value, ...rest } = parsed.body;
      if (Buffer.byteLength(value) > MAX_VALUE_BYTES) return refused(valueInvalid());
      return { ok: true, body: bundleOf(vault.secrets.set(name, value, propertiesOf(rest)), vault.url) };
    },
  };
}

/** As in a vault without soft-delete: gone at once, with no recovery id. https://learn.microsoft.com/rest/api/keyvault/secrets/delete-secret/delete-secret */
function deleteSecret(name: string): Operation {
  return {
    permission: "secrets/delete",
    run: (_, vault) =>
      found(model, { vault, name, version: undefined }, (secret) => {
        if (vault.certificates.find(name) !== undefined) return refused(nameTakenByCertificate(name));
        vault.secrets.delete(name);
        return { ok: true, body: versionOf(secret, vault.url) };
      }),
  };
}

function updateSecret(name: string, version: string | undefined): Operation {
  return {
    permission: "secrets/set",
    run: ({ body }, vault) => {
      const parsed = parseBody(body, updateBody);
      if (!parsed.ok) return parsed;
      return found(model, { vault, name, version }, (secret) => {
        const changed = vault.secrets.update(name, secret.version, propertiesOf(parsed.body));
        return changed === undefined
          ? refused(objectNotFound("secrets", name, version))
          : { ok: true, body: versionOf(changed, vault.url) };
      });
    },
  };
}

type Parsed<T> = { readonly ok: true; readonly body: T } | { readonly ok: false; readonly error: VaultError };

function parseBody<Schema extends z.ZodType>(text: string, schema: Schema): Parsed<z.output<Schema>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, error: bodyInvalid("it is not JSON") };
  }
  const result = schema.safeParse(json);
  if (result.success) return { ok: true, body: result.data };
  // The path alone: zod's messages may quote what was received, which may be a secret.
  return { ok: false, error: bodyInvalid(result.error.issues.map((issue) => issue.path.join(".") || "the whole body").join(", ")) };
}
