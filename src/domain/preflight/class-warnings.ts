import { CLASS_ANNOTATIONS, PREFIX } from "../annotations.ts";
import { annotationsSizeProblem } from "../annotations-size.ts";
import { objectAt } from "../json-members.ts";
import { parsedJson } from "../json-object.ts";
import type { SecretProviderClass, SecretProviderClassSpec } from "../kubernetes.ts";
import { misplacedKeys } from "../misplaced-keys.ts";
import { unseenCloudFile } from "../provider-class/cloud-file.ts";
import type { ClassObject } from "../provider-class/object-rules.ts";
import { type ParsedClass, parseProviderClass } from "../provider-class/parse.ts";
import { type ClassProblem, isMountable } from "../provider-class/problem.ts";
import { quoted } from "../quoted.ts";
import { annotationProblems, pollInterval } from "../schedule/class-annotations.ts";
import { type SecretObjectEntries, secretObjectEntries } from "../secret-data/data-entries.ts";
import { OBJECT_SELECTORS, SECRET_DATA } from "../secret-data/parameter-names.ts";
import { editDistance, nearestName } from "../spelling.ts";
import { objectNameWarnings } from "./object-name-warnings.ts";
import { secretObjectWarnings } from "./secret-object-warnings.ts";
import { type PreflightWarning, warning } from "./warning.ts";

export interface ClassWarningOptions {
  /** Cloud of classes without `cloudName`. */
  readonly cloudName: string;
  /** `--identity-bindings`; where it is not known, off. */
  readonly identityBindings?: boolean;
}

const PROVIDER = "azure";

/** Names that are told of, and those of them with a suggestion; an object has room for a hundred thousand. */
const MOST_TOLD = 50;
const MOST_SUGGESTIONS = 20;

/** The first ones in alphabetical order of as many as are told of, and how many more there are. */
function toldOf(names: readonly string[]): { readonly told: readonly string[]; readonly more: number } {
  return { told: names.slice(0, MOST_TOLD).sort(), more: Math.max(0, names.length - MOST_TOLD) };
}

/** What the author of a class would learn from a failing mount, or from a Secret that never appears. */
export function classWarnings(
  provider: SecretProviderClass,
  { cloudName, identityBindings }: ClassWarningOptions,
): readonly PreflightWarning[] {
  const { metadata, spec } = provider;
  const name = spec?.provider ?? "";
  if (name === "") return [warning("WrongProvider", 'spec.provider is missing, so nothing mounts or mirrors this class: write "azure"')];
  // Another provider's class is none of our business, unless its author meant ours.
  if (name !== PROVIDER) return isMeantForUs(provider) ? [wrongProvider(name)] : [];
  const tooLarge = annotationsSizeProblem(metadata.annotations ?? {});
  if (tooLarge !== undefined) return [warning("InvalidAnnotation", `metadata.annotations ${tooLarge}`)];
  const owner = `${metadata.namespace ?? "default"}/${metadata.name}`;
  const parsed = parseProviderClass(spec, { owner, cloudName, identityBindings, readCloudFile: unseenCloudFile });
  const missing = missingParameter(parsed, spec);
  const unknown = parameterWarnings(spec, missing);
  // The name that was meant says what to do; that its right spelling is absent says it a second time.
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
  return [...objectNameWarnings(objects), ...secretObjectWarnings(secretObjects, objects)];
}

function wrongProvider(name: string): PreflightWarning {
  return warning("WrongProvider", `spec.provider is ${quoted(name, 40)}: write "azure", in lower case`);
}

/** Two letters apart at most, or with an annotation of ours on it. */
function isMeantForUs({ metadata, spec }: SecretProviderClass): boolean {
  const name = (spec?.provider ?? "").slice(0, 63).trim().toLowerCase();
  const isAnnotated = Object.keys(metadata.annotations ?? {}).some((key) => key.startsWith(`${PREFIX}/`));
  return isAnnotated || editDistance(name, PROVIDER) <= 2;
}

/** The parameter whose absence the mount fails on. */
function missingParameter(parsed: ParsedClass, spec: SecretProviderClassSpec | undefined): string | undefined {
  if (parsed.kind !== "invalid") return undefined;
  const name = parsed.problem.field.replace(/^spec\.parameters\./, "");
  return REQUIRED_PARAMETERS.includes(name) && (spec?.parameters?.[name] ?? "") === "" ? name : undefined;
}

function parameterWarnings(spec: SecretProviderClassSpec | undefined, missing: string | undefined): readonly PreflightWarning[] {
  const known: readonly string[] = [...KNOWN_PARAMETERS, ...OWN_PARAMETERS];
  const { told, more } = toldOf(Object.keys(spec?.parameters ?? {}).filter((key) => !known.includes(key)));
  const warnings = told.map((key, index) => {
    const field = `parameter ${quoted(key, 40)}`;
    if (FORMER_PARAMETERS.includes(key)) return warning("UnknownParameter", `${field} is no longer read by the Azure provider: remove it`);
    const nearest = index < MOST_SUGGESTIONS ? nearestName(key, known) : undefined;
    const fix = nearest === undefined ? "correct or remove it" : `did you mean ${nearest}?`;
    const reason = missing !== undefined && nearest?.toLowerCase() === missing.toLowerCase() ? "InvalidClass" : "UnknownParameter";
    return warning(reason, `${field} is unknown and ignored: ${fix}`);
  });
  return more === 0 ? warnings : [...warnings, warning("UnknownParameter", `${more} more parameters are unknown and ignored`)];
}

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * `cloudName:` with nothing after it is null. Client-side apply drops it before the API server sees it and leaves a trace only in
 * its own annotation; server-side apply, and GitOps tools with it, refuse the very same file.
 */
function nullWarnings({ metadata }: SecretProviderClass): readonly PreflightWarning[] {
  const parameters = nullParametersOf(metadata.annotations?.[LAST_APPLIED]);
  return parameters.map((key) =>
    warning("NullParameter", `parameter ${quoted(key, 40)} is null: write "" or remove it, server-side apply refuses it`),
  );
}

function nullParametersOf(lastApplied: string | undefined): readonly string[] {
  // Anybody may write that annotation; what cannot be read says nothing.
  const parameters = objectAt(parsedJson(lastApplied ?? ""), ["spec", "parameters"]) ?? {};
  return Object.entries(parameters).flatMap(([key, value]) => (value === null ? [key] : []));
}

function parsedWarnings(parsed: ParsedClass, spec: SecretProviderClassSpec | undefined): readonly PreflightWarning[] {
  switch (parsed.kind) {
    case "notOurs":
      return [];
    case "class":
      return parsed.providerClass.warnings.map(({ message, field }) => warning("UnexpectedResult", `${field}: ${message}`));
    case "invalid":
      return problemWarnings(parsed.problem, spec);
  }
}

/** Where it is and what to write instead, and then upstream's text, which people search for: a narrow terminal shows the beginning. */
function problemWarnings(problem: ClassProblem, spec: SecretProviderClassSpec | undefined): readonly PreflightWarning[] {
  // Only who wants Secrets has to know.
  if (isMountable(problem) && (spec?.secretObjects ?? []).length === 0) return [];
  const { reason, message, field, hint } = problem;
  return [warning(reason, `${field}: ${hint} (${message})`)];
}

function annotationWarnings(provider: SecretProviderClass): readonly PreflightWarning[] {
  const known: readonly string[] = Object.values(CLASS_ANNOTATIONS);
  const { annotations = {}, labels = {} } = provider.metadata;
  const unknown = Object.keys(annotations).filter((key) => key.startsWith(`${PREFIX}/`) && !known.includes(key));
  const misplaced = misplacedKeys(known, { wrong: labels, right: annotations });
  return [
    ...misplaced.map((key) =>
      warning("UnknownAnnotation", `${quoted(key, 63)} is a label, which nothing reads: write it under annotations`),
    ),
    ...toldOf(unknown).told.map((key, index) => {
      const nearest = index < MOST_SUGGESTIONS ? nearestName(nameOf(key), known.map(nameOf)) : undefined;
      const fix = nearest === undefined ? "correct or remove it" : `did you mean "${nearest}"?`;
      return warning("UnknownAnnotation", `${quoted(nameOf(key), 30)} is no annotation of ${PREFIX}/ on a class: ${fix}`);
    }),
    ...annotationProblems(provider, pollInterval(provider, 0)).map((problem) => warning("InvalidAnnotation", problem)),
  ];
}

function nameOf(key: string): string {
  return key.slice(PREFIX.length + 1);
}

/** The keys that Azure provider v1.8.2 reads. Case-sensitive; the provider ignores every other one without a word. */
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

/** Read by the worker alone. */
export const OWN_PARAMETERS: readonly string[] = [SECRET_DATA, OBJECT_SELECTORS];

/** Those that no mount works without. */
const REQUIRED_PARAMETERS: readonly string[] = ["keyvaultName", "tenantID"];

/** Read by releases of years ago, and still in many classes: harmless, and no slip of the pen. */
export const FORMER_PARAMETERS: readonly string[] = [
  "resourceGroup",
  "subscriptionId",
  "useManagedIdentity",
  "keyvaultObjects",
  "vmmanagedidentityclientid",
  "usevmmanagedidentity",
];
