import { z } from "zod";

import { EmulatorInputError } from "../input-error.ts";
import { CLOUD_NAMES } from "../network/clouds.ts";
import { PERMISSIONS } from "../vault/permissions.ts";
import { disturbanceInputs } from "./disturbance-inputs.ts";
import { eventInputs } from "./event-inputs.ts";
import { attributes, identifier, objectKey, vaultName, version } from "./fields.ts";
import { objectInputs } from "./object-inputs.ts";
import { signInInputs } from "./sign-in-inputs.ts";

const cloud = z.enum(CLOUD_NAMES).default("public");
const apiVersions = z.array(z.string().regex(/^\d[\w.-]{0,30}$/, "versions such as 7.4, the latest last")).min(1, "at least one version");
const permissions = z.array(z.enum(PERMISSIONS)).min(1, "at least one permission");

const properties = { contentType: z.string().max(255).optional(), ...attributes };

/** Input of each state method. The admin endpoint and in-process callers go through the same checks. */
export const inputs = {
  createVault: z.strictObject({
    name: vaultName,
    cloud,
    tenantId: identifier.optional(),
    apiVersions: apiVersions.optional(),
    recoverableDays: z.number().int().min(7).max(90).optional(),
  }),
  setApiVersions: z.strictObject({ vault: vaultName, apiVersions }),
  deleteVault: z.strictObject({ name: vaultName }),
  createServicePrincipal: z.strictObject({
    cloud,
    tenantId: identifier.optional(),
    appId: identifier.optional(),
    clientSecret: z.string().min(1, "must not be empty").optional(),
  }),
  setClientSecret: z.strictObject({ appId: identifier, clientSecret: z.string().min(1, "must not be empty").optional() }),
  grant: z.strictObject({ vault: vaultName, appId: identifier, permissions }),
  revoke: z.strictObject({ vault: vaultName, appId: identifier, permissions: permissions.default([...PERMISSIONS]) }),
  setSecret: z.strictObject({
    ...objectKey,
    value: z.string(),
    /** Gives the secret the form of a certificate's secret (`kid`, `managed`) with any content, also one that an import would reject. */
    certificateBacked: z.boolean().default(false),
    ...properties,
  }),
  rotateSecret: z.strictObject({ ...objectKey, value: z.string().optional() }),
  setAttributes: z.strictObject({ ...objectKey, version: version.optional(), ...properties }),
  secretVersion: z.strictObject({ ...objectKey, version: version.optional() }),
  secret: z.strictObject(objectKey),
  setTokenLifetime: z.strictObject({ seconds: z.number("seconds").int("whole seconds").positive("more than 0") }),
  requests: z.strictObject({ after: z.number().int().nonnegative().optional() }),
  ...objectInputs,
  ...disturbanceInputs,
  ...signInInputs,
  ...eventInputs,
} as const;

export type Input<Name extends keyof typeof inputs> = z.input<(typeof inputs)[Name]>;

/** Names each wrong field and its valid form. Never quotes the input. */
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
