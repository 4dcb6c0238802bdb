import { MANAGED_LABEL } from "../../../domain/annotations.ts";
import { RESOURCES, type Secret, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import type { SyncReason } from "../../../domain/reasons.ts";
import { textViolation } from "../../../domain/secret-objects/rules.ts";
import { Claims } from "../../../domain/sync/claims.ts";
import { secretObjectsOf } from "../../../domain/sync/named-secrets.ts";
import { currentOwner } from "../../../domain/sync/secret-plan.ts";
import { adoptedNames, takeOver } from "../../../domain/sync/take-over.ts";
import { type ClassContext, offBecause } from "../class/class-look.ts";

/** What planning takes: no vault is asked. */
export type PlanContext = Pick<ClassContext, "viewer" | "settings" | "worker">;

export const SECRET_ACTIONS = {
  create: "there is none of that name: it would be created",
  keep: "the worker has it already",
  "take-over": "it exists, and its owner, or the CSI driver's end, agrees that it is taken over",
  conflict: "it exists and is somebody else's, or another class has it: it would be left as it is",
  invalid: "the secretObject gives no Secret",
  unknown: "you may not read it",
} as const;

export type SecretAction = keyof typeof SECRET_ACTIONS;

export interface PlannedSecret {
  readonly name: string;
  readonly type: string;
  readonly action: SecretAction;
  readonly reason?: SyncReason;
  readonly message?: string;
  /** One sentence: what to do. */
  readonly fix?: string;
}

/** Which classes name which Secret, and what lets the driver's own sync write. */
export interface SecretClaims {
  readonly classes: Claims;
  readonly driverSync: string | undefined;
}

export function claimsOf(classes: readonly SecretProviderClass[]): Claims {
  const claims = new Claims();
  for (const current of classes) claims.note({ previous: undefined, current });
  return claims;
}

interface Planning {
  readonly provider: SecretProviderClass;
  /** Of the secretObject. */
  readonly index: number;
  readonly claims: SecretClaims;
}

type Decision = Omit<PlannedSecret, "name" | "type">;

export async function planSecretObject(context: PlanContext, planning: Planning): Promise<PlannedSecret> {
  const { provider, index } = planning;
  const { secretName: name, type = "" } = secretObjectsOf(provider)[index] ?? { secretName: "" };
  const named = { name, type: type.trim() === "" ? "Opaque" : type.trim() };
  const invalid = invalidity(provider, index);
  if (invalid !== undefined) return { ...named, ...invalid };
  const { namespace = "" } = provider.metadata;
  const look = await context.viewer.object<Secret>(RESOURCES.secrets, { namespace, name });
  if (look.kind === "unseen") return { ...named, action: "unknown", message: look.why, fix: "Run doctor with more rights." };
  return { ...named, ...decide(context, planning, { named, live: look.kind === "seen" ? look.value : undefined }) };
}

interface Named {
  readonly named: { readonly name: string; readonly type: string };
}

/** By the worker's own rules: who has it keeps it, else the eldest comes first; what is nobody's is made, somebody else's judged. */
function decide(context: PlanContext, planning: Planning, { live, named }: Named & { readonly live: Secret | undefined }): Decision {
  const { namespace = "", name: className } = planning.provider.metadata;
  const claimants = planning.claims.classes.of(namespace, named.name);
  const observed = live?.metadata.labels?.[MANAGED_LABEL] === "true" ? context.worker.observe(live, ANY_KEY) : undefined;
  const owner = currentOwner({
    className,
    observed,
    isClaimedBy: (other) => claimants.some(({ metadata }) => metadata.name === other),
    preferredOwner: claimants.find((claimant) => offBecause(context.settings, claimant) === undefined)?.metadata.name,
  });
  if (owner !== undefined && owner !== className) return ofAnotherClass(named.name, owner);
  if (live === undefined) return { action: "create" };
  return observed === undefined ? foreign(context, planning, { live, named }) : { action: "keep" };
}

/** No fingerprint is compared where the owner decides. */
const ANY_KEY = { bytes: new Uint8Array(32), formerUntil: Number.NEGATIVE_INFINITY };

function invalidity(provider: SecretProviderClass, index: number): Decision | undefined {
  const secretObject = provider.spec?.secretObjects?.[index] ?? {};
  const violation = textViolation(secretObject);
  if (violation !== undefined) {
    const field = `spec.secretObjects[${index}].${violation.field}`;
    return {
      action: "invalid",
      reason: violation.reason,
      message: `${field}: ${violation.message}`,
      fix: `In ${field}: ${violation.hint}.`,
    };
  }
  const { secretName: name = "" } = secretObjectsOf(provider)[index] ?? {};
  const sharing = secretObjectsOf(provider).flatMap(({ secretName }, at) => (secretName === name ? [at] : []));
  if (sharing.length < 2) return undefined;
  // Neither is written: nobody can say which one is meant.
  const message = `secretObjects ${sharing.join(" and ")} name the same Secret ${name}`;
  return { action: "invalid", reason: "InvalidClass", message, fix: "Merge the secretObjects into one, or give each its own secretName." };
}

function ofAnotherClass(name: string, other: string): Decision {
  return {
    action: "conflict",
    reason: "Conflict",
    message: `Secret ${name} is written by the class ${other}, which names it too`,
    fix: "Give one of the two classes another secretName.",
  };
}

interface Foreign extends Named {
  readonly live: Secret;
}

/** By the worker's own rules for Secrets that are not its own. */
function foreign({ settings, worker }: PlanContext, { provider, claims }: Planning, { live, named }: Foreign): Decision {
  const verdict = takeOver({
    className: provider.metadata.name,
    adopts: adoptedNames(provider),
    wanted: named,
    live: worker.observe(live, ANY_KEY),
    writer: live.metadata.managedFields?.[0]?.manager,
    driverSync: claims.driverSync,
    adoptsDriverSecrets: settings.adoptsDriverSecrets,
    oldestClass: claims.classes.of(provider.metadata.namespace ?? "", named.name)[0]?.metadata.name,
  });
  if (verdict.kind === "take") {
    const from = verdict.from === "owner" ? "its owner and the class agree" : "the CSI driver's own sync made it, and is switched off";
    return { action: "take-over", message: from };
  }
  const fix = "Delete the Secret, choose another secretName, or have both sides agree by the annotations adopt and adoptable-by.";
  return { action: "conflict", reason: "Conflict", message: verdict.message, fix };
}
