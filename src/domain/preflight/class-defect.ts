import type { SecretProviderClass } from "../kubernetes.ts";
import { unseenCloudFile } from "../provider-class/cloud-file.ts";
import { NO_OBJECTS } from "../provider-class/objects.ts";
import { describeProblem, isMountable } from "../provider-class/problem.ts";
import { parseProviderClass } from "../read-class.ts";
import type { SyncReason } from "../reasons.ts";
import { secretObjectEntries } from "../secret-data/data-entries.ts";
import { type ClassWarningOptions, classWarnings } from "./class-warnings.ts";
import type { PreflightReason, PreflightWarning } from "./warning.ts";

/** Why a class does not do what it is for. */
export interface ClassDefect {
  /** As the worker would report it. */
  readonly reason: Extract<SyncReason, "InvalidClass" | "InvalidObject" | "IdentityUnavailable">;
  readonly message: string;
  /** A pod that mounts the class does not start; else only Secrets are missing. */
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

/** Whether a warning is of something that fails; the others are of what is ignored, or surprises. */
export function isDefect({ reason }: PreflightWarning): boolean {
  return DEFECTS.includes(reason);
}

/** The reason that a defect stands under in a status and in a verdict; that of a warning else. */
export function shownReason({ reason }: PreflightWarning): PreflightReason {
  return reason === "WrongProvider" ? "InvalidClass" : reason;
}

/** The first thing that has to be corrected before the class works, by its text alone; undefined where nothing has to. */
export function classDefect(provider: SecretProviderClass, options: ClassWarningOptions): ClassDefect | undefined {
  return defectOf(provider, options, true);
}

/** The same for its Secrets alone: selectors find their objects, without which no pod can mount the class. */
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
  // What only Secrets would be missing for is no defect of a class without any.
  if (defect === undefined) return undefined;
  const { problem } = parsed;
  return { reason: problem.reason, message: describeProblem(problem), stopsPods: !isMountable(problem) };
}
