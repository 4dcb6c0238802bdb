import type { z } from "zod";

import type { Exchange } from "../network/exchange.ts";
import { type DeletableModel, deletedOperation, deleteOperation } from "./deleted-operations.ts";
import {
  bodyInvalid,
  nameDeleted,
  nameInvalid,
  nameTakenByCertificate,
  objectNotFound,
  secretDisabled,
  type VaultError,
  valueInvalid,
} from "./errors.ts";
import { found, isName, type Operation, readOperation, refused } from "./read-operations.ts";
import type { StoredSecret } from "./secret-collection.ts";
import { bundleOf, bundleWithoutValue, itemOf, propertiesOf, setBody, updateBody, versionItemOf } from "./secret-wire.ts";

/** 25 KB: https://learn.microsoft.com/azure/key-vault/secrets/about-secrets */
const MAX_VALUE_BYTES = 25_600;

const model: DeletableModel<StoredSecret> = {
  kind: "secrets",
  collection: (vault) => vault.secrets,
  // The service also returns versions that are expired or not yet valid, because the dates of secrets are informational.
  get: (secret, vault) => (secret.enabled ? { ok: true, body: bundleOf(secret, vault) } : refused(secretDisabled())),
  item: itemOf,
  versionItem: versionItemOf,
  deletable: (vault) => [vault.secrets],
  bundle: bundleWithoutValue,
};

/** Operations under `/deletedsecrets`. */
export function deletedSecretOperation(exchange: Exchange): Operation | undefined {
  return deletedOperation(model, exchange);
}

/**
 * Returns the operation for a path and method, or undefined. Paths: https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups
 */
export function secretOperation({ method, segments }: Exchange): Operation | undefined {
  if (method === "GET") return readOperation(model, segments);
  const [, name, part, ...more] = segments;
  if (name === undefined || part === "versions" || more.length > 0) return undefined;
  switch (method) {
    case "PUT":
      return part === undefined ? setSecret(name) : undefined;
    case "DELETE":
      return part === undefined ? deleteOperation(model, name) : undefined;
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
      if (vault.certificates.find(name) !== undefined) return refused(nameTakenByCertificate("secrets", name));
      if (vault.secrets.findDeleted(name) !== undefined) return refused(nameDeleted("secrets", name));
      const { value, ...rest } = parsed.body;
      if (Buffer.byteLength(value) > MAX_VALUE_BYTES) return refused(valueInvalid());
      return { ok: true, body: bundleOf(vault.secrets.set(name, value, propertiesOf(rest)), vault) };
    },
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
          : { ok: true, body: bundleWithoutValue(changed, vault) };
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
  // Only the path, because zod's messages can quote the input, which can be a secret.
  return { ok: false, error: bodyInvalid(result.error.issues.map((issue) => issue.path.join(".") || "the whole body").join(", ")) };
}
