import type { z } from "zod";

import type { Exchange } from "../network/exchange.ts";
import { bodyInvalid, nameInvalid, pageSizeInvalid, secretDisabled, secretNotFound, type VaultError, valueInvalid } from "./errors.ts";
import { pageOf } from "./page.ts";
import type { StoredSecret } from "./secret-collection.ts";
import { bundleOf, itemOf, propertiesOf, setBody, updateBody, versionOf } from "./secret-wire.ts";
import type { SecretPermission, Vault } from "./vault-store.ts";

export type Outcome = { readonly ok: true; readonly body: unknown } | { readonly ok: false; readonly error: VaultError };

/** One operation of the data plane: what it needs and what it does, once the caller is known and allowed. */
export interface Operation {
  readonly permission: SecretPermission;
  run(exchange: Exchange, vault: Vault): Outcome;
}

/** 25 KB: https://learn.microsoft.com/azure/key-vault/secrets/about-secrets */
const MAX_VALUE_BYTES = 25_600;

/** The operation a path and method name, or undefined. Paths: https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups */
export function secretOperation({ method, segments }: Exchange): Operation | undefined {
  const [, name, part, ...more] = segments;
  if (more.length > 0) return undefined;
  if (name === undefined) return method === "GET" ? listSecrets : undefined;
  if (part === "versions") return method === "GET" ? listVersions(name) : undefined;
  switch (method) {
    case "GET":
      return getSecret(name, part);
    case "PUT":
      return part === undefined ? setSecret(name) : undefined;
    case "PATCH":
      return updateSecret(name, part);
    default:
      return undefined;
  }
}

const listSecrets: Operation = {
  permission: "list",
  run: (exchange, vault) =>
    listed(
      exchange,
      vault.secrets.current().map((secret) => itemOf(secret, vault.url)),
    ),
};

function listVersions(name: string): Operation {
  return {
    permission: "list",
    run: (exchange, vault) => {
      const versions = vault.secrets.versions(name);
      if (versions.length === 0) return refused(secretNotFound(name));
      // By version id, hence in no order of time: https://github.com/nagyesta/lowkey-vault/issues/467
      const sorted = [...versions].sort((left, right) => (left.version < right.version ? -1 : 1));
      return listed(
        exchange,
        sorted.map((version) => versionOf(version, vault.url)),
      );
    },
  };
}

function getSecret(name: string, version: string | undefined): Operation {
  return {
    permission: "get",
    run: (_, vault) =>
      found(vault, { name, version }, (secret) => {
        // Expired and not yet valid versions are returned, with their attributes: the dates are informational for secrets.
        return secret.enabled ? { ok: true, body: bundleOf(secret, vault.url) } : refused(secretDisabled());
      }),
  };
}

function setSecret(name: string): Operation {
  return {
    permission: "set",
    run: ({ body }, vault) => {
      const parsed = parseBody(body, setBody);
      if (!parsed.ok) return parsed;
      if (!isName(name)) return refused(nameInvalid(name));
      const { value, ...rest } = parsed.body;
      if (Buffer.byteLength(value) > MAX_VALUE_BYTES) return refused(valueInvalid());
      return { ok: true, body: bundleOf(vault.secrets.set(name, value, propertiesOf(rest)), vault.url) };
    },
  };
}

function updateSecret(name: string, version: string | undefined): Operation {
  return {
    permission: "set",
    run: ({ body }, vault) => {
      const parsed = parseBody(body, updateBody);
      if (!parsed.ok) return parsed;
      return found(vault, { name, version }, (secret) => {
        const changed = vault.secrets.update(name, secret.version, propertiesOf(parsed.body));
        return changed === undefined ? refused(secretNotFound(name, version)) : { ok: true, body: versionOf(changed, vault.url) };
      });
    },
  };
}

interface SecretKey {
  readonly name: string;
  readonly version: string | undefined;
}

function found(vault: Vault, { name, version }: SecretKey, then: (secret: StoredSecret) => Outcome): Outcome {
  if (!isName(name)) return refused(nameInvalid(name));
  const secret = vault.secrets.find(name, version);
  return secret === undefined ? refused(secretNotFound(name, version)) : then(secret);
}

/** https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates (object identifiers) */
export function isName(name: string): boolean {
  return /^[0-9a-z-]{1,127}$/i.test(name);
}

function listed(exchange: Exchange, all: readonly unknown[]): Outcome {
  const page = pageOf(all, { url: `https://${exchange.host}:443/${exchange.segments.join("/")}`, query: exchange.query });
  return page === undefined ? refused(pageSizeInvalid()) : { ok: true, body: { value: page.items, nextLink: page.nextLink } };
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

function refused(error: VaultError): Outcome {
  return { ok: false, error };
}
