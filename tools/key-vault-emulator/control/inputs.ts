import { z } from "zod";

import { EmulatorInputError } from "../input-error.ts";
import { CLOUD_NAMES } from "../network/clouds.ts";
import { SECRET_PERMISSIONS } from "../vault/vault-store.ts";

const vaultName = z
  .string()
  .regex(
    /^[a-z](?!.*--)[a-z0-9-]{1,22}[a-z0-9]$/i,
    "3 to 24 letters, digits and single hyphens, starting with a letter, not ending in a hyphen",
  );
const secretName = z.string().regex(/^[0-9a-z-]{1,127}$/i, "1 to 127 letters, digits and hyphens");
const version = z.string().regex(/^[0-9a-f]{32}$/i, "32 hexadecimal digits");
const identifier = z.string().regex(/^[0-9a-z][0-9a-z.-]{0,127}$/i, "a GUID");
const cloud = z.enum(CLOUD_NAMES).default("public");
const permissions = z.array(z.enum(SECRET_PERMISSIONS)).min(1, "at least one permission");
const unixSeconds = z.number("Unix seconds").int("whole Unix seconds").nonnegative("Unix seconds");

const properties = {
  contentType: z.string().max(255).optional(),
  enabled: z.boolean().optional(),
  notBefore: unixSeconds.optional(),
  expires: unixSeconds.optional(),
  tags: z.record(z.string(), z.string()).optional(),
};

const secretKey = { vault: vaultName, name: secretName };

/** What each state method takes; the admin endpoint and in-process callers are checked alike. */
export const inputs = {
  createVault: z.strictObject({ name: vaultName, cloud, tenantId: identifier.optional() }),
  deleteVault: z.strictObject({ name: vaultName }),
  createServicePrincipal: z.strictObject({
    cloud,
    tenantId: identifier.optional(),
    appId: identifier.optional(),
    clientSecret: z.string().min(1, "must not be empty").optional(),
  }),
  setClientSecret: z.strictObject({ appId: identifier, clientSecret: z.string().min(1, "must not be empty").optional() }),
  grant: z.strictObject({ vault: vaultName, appId: identifier, permissions }),
  revoke: z.strictObject({ vault: vaultName, appId: identifier, permissions: permissions.default([...SECRET_PERMISSIONS]) }),
  setSecret: z.strictObject({ ...secretKey, value: z.string(), ...properties }),
  rotateSecret: z.strictObject({ ...secretKey, value: z.string().optional() }),
  setAttributes: z.strictObject({ ...secretKey, version: version.optional(), ...properties }),
  secretVersion: z.strictObject({ ...secretKey, version: version.optional() }),
  secret: z.strictObject(secretKey),
  setTokenLifetime: z.strictObject({ seconds: z.number("seconds").int("whole seconds").positive("more than 0") }),
  requests: z.strictObject({ after: z.number().int().nonnegative().optional() }),
} as const;

export type Input<Name extends keyof typeof inputs> = z.input<(typeof inputs)[Name]>;

/** Names each wrong field and what it should be; never quotes what was given. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const field = issue.path.join(".") || "input";
    const extra = issue.code === "unrecognized_keys" ? issue.keys.join(", ") : "";
    return `${field}: ${extra === "" ? issue.message : `unknown field ${extra}`}`;
  });
  throw new EmulatorInputError(problems.join("; "));
}
