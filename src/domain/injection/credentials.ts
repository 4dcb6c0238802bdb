import { assertNever } from "../assert-never.ts";
import type { SecretProviderClass } from "../kubernetes.ts";
import { quoted } from "../quoted.ts";
import { DEFAULT_CREDENTIALS_SECRET } from "./settings.ts";

/** What is known about a class at admission time. `unknown`: nobody could say, the kind may not even be served. */
export type ClassFact =
  | { readonly kind: "found"; readonly class: SecretProviderClass }
  | { readonly kind: "missing" }
  | { readonly kind: "unknown" };

/** What the pod says about `nodePublishSecretRef`. */
export type CredentialsChoice =
  | { readonly kind: "default" }
  | { readonly kind: "none" }
  | { readonly kind: "named"; readonly name: string };

export interface CredentialsReference {
  /** The Secret that a volume of ours refers to; undefined: none. */
  readonly wanted: string | undefined;
  /** What a volume that the pod already has may say instead and still be the same volume. */
  readonly accepted: readonly (string | undefined)[];
  readonly warnings: readonly string[];
}

/** Names of classes go to 253 characters, warnings to 120. */
const SHOWN = 40;

/** Which credentials Secret the mount of a class needs, by what the pod says and what is known of the class. */
export function credentialsReference(className: string, choice: CredentialsChoice, fact: ClassFact): CredentialsReference {
  const warnings = classWarnings(quoted(className, SHOWN), choice, fact);
  if (choice.kind === "named") return { wanted: choice.name, accepted: [choice.name], warnings };
  if (choice.kind === "none") return { wanted: undefined, accepted: [undefined], warnings };
  const either = [DEFAULT_CREDENTIALS_SECRET, undefined];
  if (fact.kind !== "found") return { wanted: DEFAULT_CREDENTIALS_SECRET, accepted: either, warnings };
  return usesServicePrincipal(fact.class)
    ? { wanted: DEFAULT_CREDENTIALS_SECRET, accepted: [DEFAULT_CREDENTIALS_SECRET], warnings }
    : // The other modes ignore a reference. Accepting it keeps a pod stable that was injected before its class appeared.
      { wanted: undefined, accepted: either, warnings };
}

function classWarnings(name: string, choice: CredentialsChoice, fact: ClassFact): readonly string[] {
  const guess = choice.kind === "default" ? `; it gets nodePublishSecretRef ${DEFAULT_CREDENTIALS_SECRET}` : "";
  switch (fact.kind) {
    case "missing":
      return [`SecretProviderClass ${name} is not in this namespace yet${guess}`];
    case "unknown":
      return [`SecretProviderClass ${name} could not be read${guess}`];
    case "found":
      return foundWarnings(name, fact.class);
    default:
      return assertNever(fact);
  }
}

function foundWarnings(name: string, { spec }: SecretProviderClass): readonly string[] {
  const provider = spec?.provider;
  if (provider !== undefined && !isAzure(provider))
    return [`SecretProviderClass ${name} has provider ${quoted(provider, SHOWN)}, not "azure"`];
  const bad = IDENTITY_FLAGS.find((flag) => goBool(spec?.parameters?.[flag]) === undefined);
  return bad === undefined ? [] : [`SecretProviderClass ${name}: ${bad} must be "true" or "false", the mount will fail`];
}

const IDENTITY_FLAGS = ["usePodIdentity", "useVMManagedIdentity", "useAzureTokenProxy"];

/** No identity flag and no `clientID`, which selects workload identity. The only mode that reads the Secret. */
function usesServicePrincipal({ spec }: SecretProviderClass): boolean {
  if (spec?.provider !== undefined && !isAzure(spec.provider)) return false;
  const parameters = spec?.parameters ?? {};
  const hasFlag = IDENTITY_FLAGS.some((flag) => goBool(parameters[flag]) === true);
  return !hasFlag && (parameters["clientID"] ?? "").trim() === "";
}

function isAzure(provider: string): boolean {
  return provider === "azure";
}

/** The provider's reading: Go's `strconv.ParseBool` after trimming, with nothing meaning false. */
function goBool(text: string | undefined): boolean | undefined {
  const value = (text ?? "").trim();
  if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  return ["", "0", "f", "F", "false", "FALSE", "False"].includes(value) ? false : undefined;
}
