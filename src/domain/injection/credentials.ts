import { assertNever } from "../assert-never.ts";
import type { SecretProviderClass } from "../kubernetes.ts";
import { parseGoBool, trimSpace } from "../provider-class/go-text.ts";
import { warning } from "./messages.ts";
import type { InjectionSettings } from "./settings.ts";

/** Facts about a class at admission time. `unknown`: they could not be read; the kind may not even be served. */
export type ClassFact =
  | { readonly kind: "found"; readonly class: SecretProviderClass }
  | { readonly kind: "missing" }
  | { readonly kind: "unknown" };

/** Choice for `nodePublishSecretRef`. `default`: none, or a name on the Namespace; `named`: by the pod itself. */
export type CredentialsChoice =
  | { readonly kind: "default"; readonly name: string }
  | { readonly kind: "none" }
  | { readonly kind: "named"; readonly name: string };

export interface CredentialsReference {
  /** Secret that a new volume refers to; undefined: none. */
  readonly wanted: string | undefined;
  /** References with which an existing volume of the pod counts as the same volume. */
  readonly accepted: readonly (string | undefined)[];
  readonly warnings: readonly string[];
}

/** A class, and the choice of the pod or its Namespace for the class's credentials. */
interface WantedClass {
  readonly className: string;
  readonly credentials: CredentialsChoice;
}

/** Returns the credentials Secret that the mount of a class needs, from the pod's choice and the facts about the class. */
export function credentialsReference(
  { className, credentials: choice }: WantedClass,
  fact: ClassFact,
  settings: InjectionSettings,
): CredentialsReference {
  const warnings = classWarnings({ className, credentials: choice }, fact, settings);
  if (choice.kind === "named") return { wanted: choice.name, accepted: [choice.name], warnings };
  if (choice.kind === "none") return { wanted: undefined, accepted: [undefined], warnings };
  const either = [choice.name, undefined];
  if (fact.kind !== "found") return { wanted: choice.name, accepted: either, warnings };
  return usesServicePrincipal(fact.class)
    ? { wanted: choice.name, accepted: [choice.name], warnings }
    : // The other modes ignore a reference. Accepting it keeps pods unchanged that were injected before their class existed.
      { wanted: undefined, accepted: either, warnings };
}

function classWarnings(wanted: WantedClass, fact: ClassFact, settings: InjectionSettings): readonly string[] {
  const { className: name, credentials: choice } = wanted;
  switch (fact.kind) {
    case "missing":
      return choice.kind === "default"
        ? [warning("classMissingGuess", { class: name, secret: choice.name })]
        : [warning("classMissing", { class: name })];
    case "unknown":
      return choice.kind === "default"
        ? [warning("classUnreadGuess", { class: name, secret: choice.name })]
        : [warning("classUnread", { class: name })];
    case "found":
      return foundWarnings(wanted, fact.class, settings);
    default:
      return assertNever(fact);
  }
}

function foundWarnings(
  { className: name, credentials: choice }: WantedClass,
  found: SecretProviderClass,
  { isCallerTrusted = false }: InjectionSettings,
): readonly string[] {
  const { spec } = found;
  const provider = spec?.provider;
  if (provider !== undefined && !isAzure(provider)) {
    return [isCallerTrusted ? warning("provider", { class: name, provider }) : warning("providerUnnamed", { class: name })];
  }
  const parameter = IDENTITY_FLAGS.find((flag) => goBool(spec?.parameters?.[flag]) === undefined);
  if (parameter !== undefined) return [warning("identityFlag", { class: name, parameter })];
  const isUnread = choice.kind === "named" && !usesServicePrincipal(found);
  return isUnread ? [warning("referenceUnread", { class: name, secret: choice.name })] : [];
}

const IDENTITY_FLAGS = ["usePodIdentity", "useVMManagedIdentity", "useAzureTokenProxy"];

/** Parameters of a class that this file reads. */
export const CREDENTIAL_PARAMETERS: readonly string[] = [...IDENTITY_FLAGS, "clientID"];

/**
 * Whether the class uses a service principal: no identity flag and no `clientID`, which selects workload identity. Only this mode reads the
 * Secret.
 */
export function usesServicePrincipal({ spec }: SecretProviderClass): boolean {
  if (spec?.provider !== undefined && !isAzure(spec.provider)) return false;
  const parameters = spec?.parameters ?? {};
  const hasFlag = IDENTITY_FLAGS.some((flag) => goBool(parameters[flag]) === true);
  return !hasFlag && trimSpace(parameters["clientID"] ?? "") === "";
}

function isAzure(provider: string): boolean {
  return provider === "azure";
}

/** Reads a flag like the provider: trimmed, and empty means false. Undefined if the mount will fail because of the value. */
function goBool(text = ""): boolean | undefined {
  const value = trimSpace(text);
  return value === "" ? false : parseGoBool(value);
}
