import { MANAGED_LABEL } from "../../../domain/annotations.ts";
import { RESOURCES, type Secret, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import type { SyncReason } from "../../../domain/reasons.ts";
import { secretObjectEntries } from "../../../domain/secret-data/data-entries.ts";
import { placeOf } from "../../../domain/secret-objects/expression-problem.ts";
import { absentFile, type MadeFiles } from "../../../domain/secret-objects/made-files.ts";
import { textViolation } from "../../../domain/secret-objects/rules.ts";
import { Claims } from "../../../domain/sync/claims.ts";
import { secretObjectsOf } from "../../../domain/sync/named-secrets.ts";
import { currentOwner } from "../../../domain/sync/secret-plan.ts";
import { adoptedNames, DRIVER_SYNC_GUIDE, driverRefusal, type TakeOverFacts, takeOver } from "../../../domain/sync/take-over.ts";
import { type ClassContext, offBecause } from "../../shared/class-context.ts";
import { valueIn } from "../../shared/viewer.ts";

/** Dependencies of planning, which queries no vault. */
export type PlanContext = Pick<ClassContext, "viewer" | "install" | "worker">;

export const SECRET_ACTIONS = {
  create: "the Secret does not exist, and the worker would create it",
  keep: "the worker already owns the Secret, and would keep it up to date",
  "take-over":
    "the Secret exists. The worker would adopt it, because the class lists the Secret in its annotation `adopt` and the Secret names the class in its annotation `adoptable-by`, or because the CSI driver's own sync created the Secret and is now off",
  conflict: "the Secret exists, and belongs to someone else or to another class. The worker would leave it unchanged",
  invalid: "the entry of `secretObjects` cannot produce a Secret",
  unknown: "you cannot read the Secret",
} as const;

export type PlannedAction = keyof typeof SECRET_ACTIONS;

export interface PlannedSecret {
  readonly name: string;
  readonly type: string;
  readonly action: PlannedAction;
  readonly reason?: SyncReason;
  readonly message?: string;
  /** Advice in one sentence. */
  readonly fix?: string;
}

/** The classes that list each Secret, and the name of the ClusterRoleBinding that lets the driver's own sync write Secrets. */
export interface SecretClaims {
  readonly classes: Claims;
  readonly driverSync: string | undefined;
}

export function claimsOf(classes: readonly SecretProviderClass[]): Claims {
  const claims = new Claims();
  for (const current of classes) claims.note({ previous: undefined, current });
  return claims;
}

type Decision = Omit<PlannedSecret, "name" | "type">;

export interface SecretsOfClass {
  readonly claims: SecretClaims;
  /** Undefined if the class cannot be parsed, so that its files are unknown. */
  readonly made: MadeFiles | undefined;
}

/** Plans the secretObject at `index`. */
export async function planSecretObject(
  context: PlanContext,
  spc: SecretProviderClass,
  index: number,
  { claims, made }: SecretsOfClass,
): Promise<PlannedSecret> {
  const { secretName: name, type = "" } = secretObjectsOf(spc)[index] ?? { secretName: "" };
  const named = { name, type: type.trim() === "" ? "Opaque" : type.trim() };
  const invalid = invalidity(spc, index, { name, made });
  if (invalid !== undefined) return { ...named, ...invalid };
  const { namespace = "" } = spc.metadata;
  const reading = await context.viewer.object<Secret>(RESOURCES.secrets, { namespace, name });
  if (reading.kind === "unseen") return { ...named, action: "unknown", message: reading.why, fix: "Run doctor with more permissions." };
  return { ...named, ...decide(context, spc, named, { claims, live: valueIn(reading) }) };
}

interface Facts {
  readonly claims: SecretClaims;
  readonly live: Secret | undefined;
}

/**
 * Decides by the worker's rules: the current owner keeps the Secret; otherwise, the oldest class becomes its owner. The worker creates a
 * missing Secret, and checks whether it may adopt an existing one.
 */
function decide(
  { install: { settings }, worker }: PlanContext,
  spc: SecretProviderClass,
  wanted: { readonly name: string; readonly type: string },
  { claims, live }: Facts,
): Decision {
  const { namespace = "", name: className } = spc.metadata;
  const claimants = claims.classes.of(namespace, wanted.name);
  // Any key will do: the choice of the owner compares no fingerprints.
  const observed = live && worker.observe(live, worker.createFingerprints(new Uint8Array(32)));
  const isManaged = isOwn(live);
  const isClaimedBy = (other: string): boolean => claimants.some(({ metadata }) => metadata.name === other);
  const preferredOwner = claimants.find((claimant) => offBecause(settings, claimant) === undefined)?.metadata.name;
  const owner = currentOwner({ className, observed: isManaged ? observed : undefined, isClaimedBy, preferredOwner });
  if (owner !== undefined && owner !== className) {
    const message = `Secret ${wanted.name} is written by the class ${owner}, which also names it`;
    return { action: "conflict", reason: "Conflict", message, fix: "Give one of the two classes another secretName." };
  }
  if (live === undefined || observed === undefined) return { action: "create" };
  if (isManaged) return { action: "keep" };
  const facts: TakeOverFacts = {
    className,
    adopts: adoptedNames(spc),
    wanted,
    live: observed,
    writer: live.metadata.managedFields?.[0]?.manager,
    driverSync: claims.driverSync,
    adoptDriverSecrets: settings.adoptDriverSecrets,
    oldestClass: claimants[0]?.metadata.name,
  };
  const verdict = takeOver(facts);
  if (verdict.kind === "take") return { action: "take-over", message: TAKEN_FROM[verdict.from] };
  return { action: "conflict", reason: "Conflict", message: verdict.message, fix: foreignFix(facts) };
}

/** If the driver goes on writing the Secret, deleting it and agreeing on it are of no use. */
function foreignFix(facts: TakeOverFacts): string {
  if (driverRefusal(facts) !== undefined) return `Follow ${DRIVER_SYNC_GUIDE}.`;
  return "Delete the Secret, choose another secretName, or have both sides agree with the annotations adopt and adoptable-by.";
}

function isOwn(live: Secret | undefined): boolean {
  return live?.metadata.labels?.[MANAGED_LABEL] === "true";
}

const TAKEN_FROM = { owner: "its owner and the class agree", driver: "the CSI driver's own sync created it, and is turned off" };

function invalidity(
  spc: SecretProviderClass,
  index: number,
  { name, made }: Pick<SecretsOfClass, "made"> & { readonly name: string },
): Decision | undefined {
  const secretObject = secretObjectEntries(spc.spec)[index] ?? {};
  const violation = textViolation(secretObject) ?? (made && absentFile(secretObject, made));
  if (violation !== undefined) {
    const { reason, message, hint } = violation;
    const field = placeOf(index, violation.field);
    return { action: "invalid", reason, message: `${field}: ${message}`, fix: `In ${field}: ${hint}.` };
  }
  const sharing = secretObjectsOf(spc).flatMap(({ secretName }, at) => (secretName === name ? [at] : []));
  if (sharing.length < 2) return undefined;
  // The worker writes neither, because it cannot know which one the author means.
  const message = `secretObjects ${sharing.join(" and ")} name the same Secret ${name}`;
  return { action: "invalid", reason: "InvalidClass", message, fix: "Merge the secretObjects into one, or give each its own secretName." };
}
