import { accountNameProblem, statedAccount } from "../account-name.ts";
import { annotationName, isOwnAnnotation } from "../annotation-keys.ts";
import { placeOfAnnotation } from "../annotation-places.ts";
import { CLASS_ANNOTATIONS, GRANT_ANNOTATIONS, PREFIX } from "../annotations.ts";
import { annotationsSizeProblem } from "../annotations-size.ts";
import { objectAt } from "../json-members.ts";
import { parsedJson } from "../json-object.ts";
import type { SecretProviderClass, SecretProviderClassSpec } from "../kubernetes.ts";
import { misplacedKeys } from "../misplaced-keys.ts";
import { inPlaceOf, isPlaceholder } from "../placeholder.ts";
import { unseenCloudFile } from "../provider-class/cloud-file.ts";
import type { ClassObject } from "../provider-class/object-rules.ts";
import { NO_OBJECTS } from "../provider-class/objects.ts";
import { OBJECT_SELECTORS, SECRET_DATA } from "../provider-class/parameters.ts";
import { type ClassProblem, isMountable } from "../provider-class/problem.ts";
import { quoted } from "../quoted.ts";
import { type ParsedClass, parseProviderClass } from "../read-class.ts";
import { annotationProblems, pollInterval } from "../schedule/class-annotations.ts";
import { type SecretObjectEntries, secretObjectEntries } from "../secret-data/data-entries.ts";
import { editDistance, nearestSpelling } from "../spelling.ts";
import { WRITTEN_KEYS } from "../written-keys.ts";
import { secretObjectWarnings } from "./secret-object-warnings.ts";
import { type PreflightWarning, preflightWarning } from "./warning.ts";

export interface ClassWarningOptions {
  /** Cloud of classes without `cloudName`. */
  readonly cloudName: string;
  /** `--identity-bindings`. Off if unknown. */
  readonly identityBindings?: boolean;
}

const PROVIDER = "azure";

/** Maximum number of names to report, and to report with a suggestion. An object has room for a hundred thousand names. */
const MOST_REPORTED = 50;
const MOST_SUGGESTIONS = 20;

/** Returns the first {@link MOST_REPORTED} names, sorted, and the number of remaining ones. */
function reportedOf(names: readonly string[]): { readonly reported: readonly string[]; readonly more: number } {
  return { reported: names.slice(0, MOST_REPORTED).sort(), more: Math.max(0, names.length - MOST_REPORTED) };
}

/** Adds a warning with the number of remaining mistakes, so that an author who corrects the reported ones knows about the others. */
function withMore(
  reported: readonly PreflightWarning[],
  more: number,
  [reason, text]: Parameters<typeof preflightWarning>,
): readonly PreflightWarning[] {
  return more === 0 ? reported : [...reported, preflightWarning(reason, `${more} more ${text}`)];
}

/** Returns warnings about mistakes that the author would otherwise notice only from a failed mount, or from a missing Secret. */
export function classWarnings(
  provider: SecretProviderClass,
  { cloudName, identityBindings }: ClassWarningOptions,
): readonly PreflightWarning[] {
  const { metadata, spec } = provider;
  const name = spec?.provider ?? "";
  if (name === "")
    return [preflightWarning("WrongProvider", 'spec.provider is missing, so nothing mounts or syncs this class: write "azure"')];
  // The webhook ignores classes of other providers, unless the author meant this one.
  if (name !== PROVIDER) return isMeantForUs(provider) ? [wrongProvider(name)] : [];
  const tooLarge = annotationsSizeProblem(metadata.annotations ?? {});
  if (tooLarge !== undefined) return [preflightWarning("InvalidAnnotation", `metadata.annotations ${tooLarge}`)];
  const owner = `${metadata.namespace ?? "default"}/${metadata.name}`;
  const parsed = parseProviderClass(spec, { owner, cloudName, identityBindings, readCloudFile: unseenCloudFile });
  const missing = missingParameter(parsed, spec);
  const unknown = parameterWarnings(spec, missing);
  // The warning about the misspelled parameter contains the fix. A second warning that the parameter is missing would only repeat it.
  const isSaid = unknown.some(({ reason }) => reason === "InvalidClass");
  return [
    ...unknown,
    ...nullWarnings(provider),
    ...(isSaid ? [] : parsedWarnings(parsed, spec)),
    ...(parsed.kind === "class" ? objectWarnings(parsed.providerClass.objects, secretObjectEntries(spec)) : []),
    ...annotationWarnings(provider),
  ];
}

function objectWarnings(objects: readonly ClassObject[], secretObjects: readonly SecretObjectEntries[]): readonly PreflightWarning[] {
  return [...objectNameWarnings(objects), ...versionWarnings(objects), ...secretObjectWarnings(secretObjects, objects)];
}

function wrongProvider(name: string): PreflightWarning {
  return preflightWarning("WrongProvider", `spec.provider is ${quoted(name, 40)}: write "azure", in lower case`);
}

/** Whether the provider differs by at most two letters, or an author wrote a project annotation. Commands and the worker write some, too. */
function isMeantForUs({ metadata, spec }: SecretProviderClass): boolean {
  const name = (spec?.provider ?? "").slice(0, 63).trim().toLowerCase();
  const isAnnotated = Object.keys(metadata.annotations ?? {}).some((key) => isOwnAnnotation(key) && !WRITTEN.includes(key));
  return isAnnotated || editDistance(name, PROVIDER) <= 2;
}

/** Returns the missing parameter that makes the mount fail. */
function missingParameter(parsed: ParsedClass, spec: SecretProviderClassSpec | undefined): string | undefined {
  if (parsed.kind !== "invalid") return undefined;
  const name = parsed.problem.field.replace(/^spec\.parameters\./, "");
  return REQUIRED_PARAMETERS.includes(name) && (spec?.parameters?.[name] ?? "") === "" ? name : undefined;
}

function parameterWarnings(spec: SecretProviderClassSpec | undefined, missing: string | undefined): readonly PreflightWarning[] {
  const known: readonly string[] = [...KNOWN_PARAMETERS, ...OWN_PARAMETERS];
  const { reported, more } = reportedOf(Object.keys(spec?.parameters ?? {}).filter((key) => !known.includes(key)));
  const warnings = reported.map((key, index) => {
    const field = `parameter ${quoted(key, 40)}`;
    if (FORMER_PARAMETERS.includes(key))
      return preflightWarning("UnknownParameter", `${field} is no longer read by the Azure provider: remove it`);
    const nearest = index < MOST_SUGGESTIONS ? nearestSpelling(key, known) : undefined;
    const fix = nearest === undefined ? "correct or remove it" : `did you mean ${nearest}?`;
    const reason = missing !== undefined && nearest?.toLowerCase() === missing.toLowerCase() ? "InvalidClass" : "UnknownParameter";
    return preflightWarning(reason, `${field} is unknown and ignored: ${fix}`);
  });
  return withMore(warnings, more, ["UnknownParameter", "parameters are unknown and ignored"]);
}

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Warns about null parameters, such as `cloudName:` without a value. Client-side apply removes them before the API server receives the
 * class, and leaves a trace only in its own annotation. Server-side apply, and thus GitOps tools, reject the same file.
 */
function nullWarnings({ metadata }: SecretProviderClass): readonly PreflightWarning[] {
  const parameters = nullParametersOf(metadata.annotations?.[LAST_APPLIED]);
  return parameters.map((key) =>
    preflightWarning("NullParameter", `parameter ${quoted(key, 40)} is null: write "" or remove it; server-side apply rejects it`),
  );
}

function nullParametersOf(lastApplied: string | undefined): readonly string[] {
  // Any user can write that annotation. An unreadable one yields no warning.
  const parameters = objectAt(parsedJson(lastApplied ?? ""), ["spec", "parameters"]) ?? {};
  return Object.entries(parameters).flatMap(([key, value]) => (value === null ? [key] : []));
}

function parsedWarnings(parsed: ParsedClass, spec: SecretProviderClassSpec | undefined): readonly PreflightWarning[] {
  switch (parsed.kind) {
    case "notOurs":
      return [];
    case "class": {
      const { objects, warnings } = parsed.providerClass;
      // The Secrets contain the objects that the selectors find, even if `objects` is empty.
      const isEmpty = objects.length === 0 && !secretObjectEntries(spec).some(({ isSelected }) => isSelected === true);
      return warnings.map(({ message, field }) =>
        preflightWarning(isEmpty ? NO_OBJECTS.reason : "UnexpectedResult", `${field}: ${message}`),
      );
    }
    case "invalid":
      return problemWarnings(parsed.problem, spec);
  }
}

/**
 * Returns the place and the fix, and then upstream's text, which people search for. The fix comes first, because a narrow terminal shows
 * the beginning. A long text appears only in the status and in `doctor`. For a violation of this project's own rules, the warning always
 * contains the text, because the fix alone does not explain the violation.
 */
function problemWarnings(problem: ClassProblem, spec: SecretProviderClassSpec | undefined): readonly PreflightWarning[] {
  // Only authors who want Secrets need this warning.
  if (isMountable(problem) && (spec?.secretObjects ?? []).length === 0) return [];
  const { reason, message, field, hint } = problem;
  const brief = `${field}: ${hint}`;
  return [preflightWarning(reason, `${brief} (${message})`, isMountable(problem) ? undefined : brief)];
}

const WRITTEN: readonly string[] = WRITTEN_KEYS.classes.annotations;

function annotationWarnings(provider: SecretProviderClass): readonly PreflightWarning[] {
  const known: readonly string[] = Object.values(CLASS_ANNOTATIONS);
  const { annotations = {}, labels = {} } = provider.metadata;
  const unknown = Object.keys(annotations).filter((key) => isOfOurs(key) && !known.includes(key) && !WRITTEN.includes(key));
  const { reported, more } = reportedOf(unknown);
  const ofUnknown = reported.map((key, index) =>
    preflightWarning("UnknownAnnotation", ofNoClass(key, index < MOST_SUGGESTIONS ? known : [])),
  );
  const misplaced = misplacedKeys(known, { wrong: labels, right: annotations });
  return [
    ...misplaced.map((key) =>
      preflightWarning("UnknownAnnotation", `${quoted(key, 63)} is a label, which has no effect: write it under annotations`),
    ),
    ...withMore(ofUnknown, more, ["UnknownAnnotation", "annotations have no effect on a class"]),
    ...[...annotationProblems(provider, pollInterval(provider, 0)), ...accountProblems(annotations)].map((problem) =>
      preflightWarning("InvalidAnnotation", problem),
    ),
  ];
}

/** Checks the account name, which the worker would refuse at sign-in. */
function accountProblems(annotations: Readonly<Record<string, string>>): readonly string[] {
  const stated = statedAccount(annotations);
  return [stated === undefined ? undefined : accountNameProblem(stated)].filter((problem) => problem !== undefined);
}

/** Whether a key is a project annotation or a grant of a Namespace. Authors may confuse a grant with an annotation of the class. */
function isOfOurs(key: string): boolean {
  return isOwnAnnotation(key) || Object.values<string>(GRANT_ANNOTATIONS).includes(key);
}

/** `known` contains the keys that the author may have meant. */
function ofNoClass(key: string, known: readonly string[]): string {
  const place = placeOfAnnotation(key);
  const name = isOwnAnnotation(key) ? annotationName(key) : key;
  if (place !== undefined) return `${quoted(name, 63)} has no effect on a class: it belongs ${place}`;
  const nearest = nearestSpelling(name, known.map(annotationName));
  const fix = nearest === undefined ? "correct or remove it" : `did you mean "${nearest}"?`;
  return `${quoted(name, 30)} is not a ${PREFIX}/ annotation of a class: ${fix}`;
}

/** Parameters that Azure provider v1.8.2 reads. They are case-sensitive. The provider ignores all others without a message. */
export const KNOWN_PARAMETERS = [
  "keyvaultName",
  "tenantID",
  "tenantId",
  "objects",
  "cloudName",
  "cloudEnvFileName",
  "usePodIdentity",
  "useVMManagedIdentity",
  "userAssignedIdentityID",
  "clientID",
  "useAzureTokenProxy",
] as const;

/** Parameters that only the worker reads. */
export const OWN_PARAMETERS: readonly string[] = [SECRET_DATA, OBJECT_SELECTORS];

/** Parameters without which every mount fails. */
const REQUIRED_PARAMETERS: readonly string[] = ["keyvaultName", "tenantID"];

/** Parameters of releases from years ago that many classes still contain. They are harmless and not misspelled. */
const FORMER_PARAMETERS: readonly string[] = [
  "resourceGroup",
  "subscriptionId",
  "useManagedIdentity",
  "keyvaultObjects",
  "vmmanagedidentityclientid",
  "usevmmanagedidentity",
];

/**
 * Names that a vault accepts (learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates). The provider does not check
 * names, so the mount fails later with the vault's own error. This is only a warning, because the vaults of a custom cloud may differ.
 */
const VAULT_NAME = /^[0-9a-zA-Z-]{1,127}$/;

/** A class may name thousands of objects. */
const MOST_OBJECTS = 20;

/** Warns about names that are impossible in a vault. Most are spelled like environment variables, and belong in objectAlias. */
function objectNameWarnings(objects: readonly ClassObject[]): readonly PreflightWarning[] {
  const impossible = [...objects.entries()].filter(([, { name }]) => !VAULT_NAME.test(name));
  const reported = impossible.slice(0, MOST_OBJECTS).map(([index, { name }]) => {
    if (isPlaceholder(name))
      return preflightWarning("InvalidObject", `objects[${index}].objectName: write the name of an object in the vault${inPlaceOf(name)}`);
    const fix = `write the vault's name, and ${quoted(name, 30)} as objectAlias if the file should have that name`;
    return preflightWarning(
      "InvalidObject",
      `objects[${index}].objectName ${quoted(name, 30)}: names in a vault have 1 to 127 letters, digits, and dashes: ${fix}`,
    );
  });
  return withMore(reported, impossible.length - reported.length, ["InvalidObject", "objectNames are not valid in a vault"]);
}

/** Warns about versions that are placeholders. The vault would report that the version does not exist. */
function versionWarnings(objects: readonly ClassObject[]): readonly PreflightWarning[] {
  const placeholders = [...objects.entries()].filter(([, { version = "" }]) => isPlaceholder(version));
  const reported = placeholders
    .slice(0, MOST_OBJECTS)
    .map(([index, { version = "" }]) =>
      preflightWarning(
        "InvalidObject",
        `objects[${index}].objectVersion: write a version of the object${inPlaceOf(version)}, or remove it for the current one`,
      ),
    );
  return withMore(reported, placeholders.length - reported.length, ["InvalidObject", "objectVersions are placeholders"]);
}
