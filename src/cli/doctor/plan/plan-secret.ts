import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../../domain/annotations.ts";
import { RESOURCES, type Secret, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import type { SyncReason } from "../../../domain/reasons.ts";
import { driverViolation, furtherViolation } from "../../../domain/secret-objects/rules.ts";
import { secretObjectsOf } from "../../../domain/sync/named-secrets.ts";
import { adoptedNames, takeOver } from "../../../domain/sync/take-over.ts";
import type { ClassContext } from "../class/class-look.ts";

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

/** Which class comes first for a Secret that several of them name, and what lets the driver's own sync write. */
export interface SecretClaims {
  readonly eldest: ReadonlyMap<string, string>;
  readonly driverSync: string | undefined;
}

/** Of all classes, by `namespace/name` of the Secret: the oldest counts, then the first by name. */
export function eldestClaims(classes: readonly SecretProviderClass[]): ReadonlyMap<string, string> {
  const byAge = [...classes].sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
  const eldest = new Map<string, string>();
  for (const provider of byAge) {
    for (const { secretName } of secretObjectsOf(provider)) {
      const key = `${provider.metadata.namespace ?? ""}/${secretName}`;
      if (!eldest.has(key)) eldest.set(key, provider.metadata.name);
    }
  }
  return eldest;
}

const ageOf = ({ metadata }: SecretProviderClass): string => `${metadata.creationTimestamp ?? ""} ${metadata.name}`;

interface Planning {
  readonly provider: SecretProviderClass;
  /** Of the secretObject. */
  readonly index: number;
  readonly claims: SecretClaims;
}

type Decision = Omit<PlannedSecret, "name" | "type">;

export async function planSecretObject(context: ClassContext, planning: Planning): Promise<PlannedSecret> {
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

/** Who has it keeps it, else the eldest class comes first; what is nobody's is made, and what is somebody else's judged. */
function decide(context: ClassContext, planning: Planning, { live, named }: Named & { readonly live: Secret | undefined }): Decision {
  const { namespace = "", name: className } = planning.provider.metadata;
  const isWritten = live?.metadata.labels?.[MANAGED_LABEL] === "true";
  const holder = isWritten ? live.metadata.annotations?.[SECRET_ANNOTATIONS.class] : undefined;
  const first = holder ?? planning.claims.eldest.get(`${namespace}/${named.name}`) ?? className;
  if (first !== className) return ofAnotherClass(named.name, first);
  if (live === undefined) return { action: "create" };
  return holder === undefined ? foreign(context, planning, { live, named }) : { action: "keep" };
}

function invalidity(provider: SecretProviderClass, index: number): Decision | undefined {
  const secretObject = provider.spec?.secretObjects?.[index] ?? {};
  const violation = driverViolation(secretObject) ?? furtherViolation(secretObject);
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
function foreign({ settings, worker }: ClassContext, { provider, claims }: Planning, { live, named }: Foreign): Decision {
  const verdict = takeOver({
    className: provider.metadata.name,
    adopts: adoptedNames(provider),
    wanted: named,
    // No fingerprint is compared where the owner decides: any key will do.
    live: worker.observe(live, new Uint8Array(32)),
    writer: live.metadata.managedFields?.[0]?.manager,
    driverSync: claims.driverSync,
    adoptsDriverSecrets: settings.adoptsDriverSecrets,
  });
  if (verdict.kind === "take") {
    const from = verdict.from === "owner" ? "its owner and the class agree" : "the CSI driver's own sync made it, and is switched off";
    return { action: "take-over", message: from };
  }
  const fix = "Delete the Secret, choose another secretName, or have both sides agree by the annotations adopt and adoptable-by.";
  return { action: "conflict", reason: "Conflict", message: verdict.message, fix };
}
