import { failed, ok, type Result } from "../result.ts";
import { goQuote, parseGoBool, trimSpace } from "./go-text.ts";
import type { ClassProblem } from "./problem.ts";

/** Identity that queries the vault of a class. The webhook needs it, too, because only service principals have a credentials Secret. */
export type IdentityMode =
  | { readonly kind: "servicePrincipal" }
  | { readonly kind: "workloadIdentity"; readonly clientId: string }
  | { readonly kind: "managedIdentity"; readonly clientId: string | undefined }
  | { readonly kind: "podIdentity" }
  | { readonly kind: "azureTokenProxy"; readonly clientId: string };

export type Parameters = Readonly<Record<string, string>>;

/** Returns a trimmed parameter, or an empty text if it is missing. Keys are case-sensitive. */
export function parameter(parameters: Parameters, key: string): string {
  return trimSpace(Object.hasOwn(parameters, key) ? (parameters[key] ?? "") : "");
}

const FLAGS = ["usePodIdentity", "useVMManagedIdentity", "useAzureTokenProxy"] as const;

type Flags = Record<(typeof FLAGS)[number], boolean>;

function readFlags(parameters: Parameters): Result<Flags, ClassProblem> {
  const flags: Flags = { usePodIdentity: false, useVMManagedIdentity: false, useAzureTokenProxy: false };
  for (const key of FLAGS) {
    const text = parameter(parameters, key);
    const value = text === "" ? false : parseGoBool(text);
    if (value === undefined) {
      return failed({
        reason: "InvalidClass",
        message: `failed to parse ${key} flag, error: strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`,
        field: `spec.parameters.${key}`,
        hint: 'write "true" or "false"',
      });
    }
    flags[key] = value;
  }
  return ok(flags);
}

/** Runs steps 3 and 4 of the provider's checks, with its precedence: explicit flag, `clientID`, service principal. */
export function readIdentityMode(parameters: Parameters): Result<IdentityMode, ClassProblem> {
  const flags = readFlags(parameters);
  if (!flags.ok) return flags;
  if (FLAGS.filter((key) => flags.value[key]).length > 1) {
    return failed({
      reason: "InvalidClass",
      message: "only one identity mode can be enabled at a time: usePodIdentity, useVMManagedIdentity, or useAzureTokenProxy",
      field: "spec.parameters",
      hint: 'leave one of the three "true" and remove the others',
    });
  }
  const clientId = parameter(parameters, "clientID");
  if (flags.value.usePodIdentity) return ok({ kind: "podIdentity" });
  if (flags.value.useVMManagedIdentity) {
    return ok({ kind: "managedIdentity", clientId: parameter(parameters, "userAssignedIdentityID") || undefined });
  }
  if (flags.value.useAzureTokenProxy) return ok({ kind: "azureTokenProxy", clientId });
  return ok(clientId === "" ? { kind: "servicePrincipal" } : { kind: "workloadIdentity", clientId });
}
