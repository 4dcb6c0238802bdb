import { createHash } from "node:crypto";
import type { Policy } from "./resources.ts";

/** Returns a digest of what the policy does, without the parts that an install or the API server fills in. */
export function policyDigest({
  failurePolicy,
  reinvocationPolicy,
  matchConditions,
  variables,
  mutations,
}: NonNullable<Policy["spec"]>): string {
  const named = (all: readonly { readonly name?: string; readonly expression?: string }[] = []) =>
    all.map(({ name, expression }) => [name, expression?.trim()]);
  const patches = mutations?.map(({ jsonPatch }) => jsonPatch?.expression?.trim());
  const text = JSON.stringify([failurePolicy, reinvocationPolicy, named(matchConditions), named(variables), patches]);
  return createHash("sha256").update(text).digest("hex");
}
