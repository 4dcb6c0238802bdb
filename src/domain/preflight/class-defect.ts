import type { SecretProviderClass } from "../kubernetes.ts";
import { unseenCloudFile } from "../provider-class/cloud-file.ts";
import { NO_OBJECTS } from "../provider-class/objects.ts";
import { describeProblem, isMountable } from "../provider-class/problem.ts";
import { parseProviderClass } from "../read-class.ts";
import type { SyncReason } from "../reasons.ts";
import { secretObjectEntries } from "../secret-data/data-entries.ts";
import { type ClassWarningOptions, classWarnings } from "./class-warnings.ts";
import type { PreflightReason, PreflightWarning } from "./warning.ts";

/** Reason why a class does not work. */
export interface ClassDefect {
  /** The reason that the worker would report. */
  readonly reason: Extract<SyncReason, "InvalidClass" | "InvalidObject" | "IdentityUnavailable">;
  readonly message: string;
  /** Whether pods that mount the class do not start. Otherwise, only Secrets are missing. */
  readonly stopsPods: boolean;
}

const DEFECTS: readonly PreflightReason[] = [
  "WrongProvider",
  "InvalidClass",
  "InvalidObject",
  "IdentityUnavailable",
  "InvalidSecretObject",
  "ObjectNotInClass",
];

/** Whether a warning is about a failure. The others are about ignored or surprising settings. */
export function isDefect({ reason }: PreflightWarning): boolean {
  return DEFECTS.includes(reason);
}

/** Returns the reason that a status and a verdict use for a warning. */
export function shownReason({ reason }: PreflightWarning): PreflightReason {
  return reason === "WrongProvider" ? "InvalidClass" : reason;
}

/** Returns the first mistake in the text of the class that stops it from working; undefined if there is none. */
export function classDefect(provider: SecretProviderClass, options: ClassWarningOptions): ClassDefect | undefined {
  return defectOf(provider, options, true);
}

/**
 * Same as {@link classDefect}, but only for the Secrets of the class. A class whose selectors find its objects works for Secrets, although
 * no pod can mount it.
 */
export function syncDefect(provider: SecretProviderClass, options: ClassWarningOptions): ClassDefect | undefined {
  const isSelecting = secretObjectEntries(provider.spec).some(({ isSelected }) => isSelected === true);
  return defectOf(provider, options, !isSelecting);
}

function defectOf(provider: SecretProviderClass, options: ClassWarningOptions, needsObjects: boolean): ClassDefect | undefined {
  const [defect] = classWarnings(provider, options).filter(isDefect);
  if (defect?.reason === "WrongProvider") return { reason: "InvalidClass", message: defect.message, stopsPods: true };
  const owner = `${provider.metadata.namespace ?? "default"}/${provider.metadata.name}`;
  const parsed = parseProviderClass(provider.spec, { owner, cloudName: options.cloudName, readCloudFile: unseenCloudFile });
  if (parsed.kind === "notOurs") return undefined;
  if (parsed.kind === "class") {
    const { reason, field, message } = NO_OBJECTS;
    if (needsObjects && parsed.providerClass.objects.length === 0) return { reason, message: `${field}: ${message}`, stopsPods: true };
    return defect && { reason: "InvalidClass", message: defect.message, stopsPods: false };
  }
  // A mistake that affects only Secrets is not a defect of a class without Secrets.
  if (defect === undefined) return undefined;
  const { problem } = parsed;
  return { reason: problem.reason, message: describeProblem(problem), stopsPods: !isMountable(problem) };
}
