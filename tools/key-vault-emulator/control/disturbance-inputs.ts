import { z } from "zod";

import { REFUSALS } from "../network/refusals.ts";
import { vaultName } from "./fields.ts";

const target = {
  /** Vault. The fault applies only to requests with a token. */
  vault: vaultName.optional(),
  /** Any emulated host name, `169.254.169.254` for the metadata service. The fault applies to every request. */
  host: z.string().min(1).optional(),
  /** Start of the paths to which the fault applies, for example `/secrets/db`. */
  path: z.string().startsWith("/", "a path such as /secrets/db").default("/"),
  /** Number of requests to which the fault applies. Default 1. */
  times: z.number().int().positive("1 or more").default(1),
};

const retryAfterSeconds = z.number().int().nonnegative("whole seconds").optional();

/** Inputs for throttling and faults. */
export const disturbanceInputs = {
  setBudget: z.strictObject({
    vault: vaultName,
    transactions: z.number().int().positive("1 or more"),
    perSeconds: z.number().positive("more than 0"),
    retryAfterSeconds,
  }),
  vault: z.strictObject({ vault: vaultName }),
  injectFault: z.discriminatedUnion("kind", [
    z.strictObject({
      ...target,
      kind: z.literal("status"),
      status: z.number().int().min(400, "400 to 599").max(599, "400 to 599"),
      retryAfterSeconds,
    }),
    z.strictObject({ ...target, kind: z.literal("refusal"), refusal: z.enum(REFUSALS) }),
    z.strictObject({ ...target, kind: z.literal("reset") }),
    z.strictObject({ ...target, kind: z.literal("slow"), milliseconds: z.number().int().positive("1 or more") }),
    z.strictObject({ ...target, kind: z.literal("truncated") }),
    z.strictObject({ ...target, kind: z.literal("contentType") }),
    z.strictObject({ ...target, kind: z.literal("without"), member: z.string().min(1, "a member such as id or key.kid") }),
  ]),
  clearFaults: z.strictObject({ vault: target.vault, host: target.host }),
} as const;
