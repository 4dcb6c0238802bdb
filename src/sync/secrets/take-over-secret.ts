import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import type { Secret } from "../../domain/kubernetes.ts";
import type { DesiredSecret } from "../../domain/secret-objects/desired-secret.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { SecretAction } from "../../domain/sync/secret-plan.ts";
import { DRIVER_MANAGED_LABEL, isAdopted, isAdoptionAgreed, type TakeOver, takeOver } from "../../domain/sync/take-over.ts";

/** Under what terms a class may take over a Secret that is not ours. */
export interface TakeOverTerms {
  /** Names of the annotation `adopt` of the class. */
  readonly adopts: readonly string[];
  /** What lets the driver's own sync write Secrets; undefined while nothing does. */
  readonly driverSync: string | undefined;
  /** `--adopt-driver-secrets` */
  readonly adoptDriverSecrets: boolean;
  /** Of the classes of the namespace that name the Secret. */
  readonly oldestClass: string | undefined;
}

interface Write {
  readonly secret: DesiredSecret;
  readonly className: string;
  readonly observed: ObservedSecret | undefined;
  readonly terms: TakeOverTerms;
}

/** Whether the Secret that has the name becomes ours. */
export function takeOverVerdict(
  { secret, className, terms }: Write,
  { live, observed }: { readonly live: Secret; readonly observed: ObservedSecret },
): TakeOver {
  const writer = live.metadata.managedFields?.find((entry) => entry.manager !== undefined)?.manager;
  return takeOver({ className, wanted: secret, live: observed, writer, ...terms });
}

/** The mark of an adopted Secret is kept as long as the Secret is: without it the end of the class would delete what was there before. */
export function keepingAdoption(secret: DesiredSecret, isKept: boolean): DesiredSecret {
  return isKept ? { ...secret, annotations: { ...secret.annotations, [SECRET_ANNOTATIONS.adopted]: "true" } } : secret;
}

/** Why a Secret of ours is not written: the driver writes it too, or a write would mean to delete what may be somebody else's. */
export function ownershipRefusal({ secret, observed, terms, className }: Write, action: SecretAction): string | undefined {
  if (observed === undefined) return undefined;
  if (observed.labels[DRIVER_MANAGED_LABEL] === "true" && terms.driverSync !== undefined) {
    const verdict = takeOver({ className, wanted: secret, live: observed, writer: undefined, ...terms });
    return verdict.kind === "refused" ? verdict.message : undefined;
  }
  if (action.kind === "replace" && observed.lacksProof === true)
    return `Secret ${secret.name} has the worker's label, but nothing proves that this install created it, so the worker does not delete and recreate it: ${action.why}. Delete the Secret, or choose another secretName`;
  if (!isAdopted(observed)) return undefined;
  const disagreement = disagreementOn(observed, className, terms.adopts);
  if (disagreement !== undefined) return `Secret ${secret.name} was adopted, but ${disagreement}`;
  if (action.kind !== "replace") return undefined;
  return `Secret ${secret.name} was adopted and is not deleted: ${action.why}. Change the class, or remove ${secret.name} from its adopt annotation and delete the Secret`;
}

/** The class that adopted it gives it back, if it still can. A class that follows it has no more right to the Secret than any other. */
function disagreementOn(observed: ObservedSecret, className: string, adopts: readonly string[]): string | undefined {
  if (isAdoptionAgreed(observed, className, adopts)) return undefined;
  if (observed.annotations[SECRET_ANNOTATIONS.adoptableBy] === className)
    return `the class no longer requests this; list the Secret in the annotation ${CLASS_ANNOTATIONS.adopt} of the class`;
  return `its owner does not allow this for the class ${className}; set the annotation ${SECRET_ANNOTATIONS.adoptableBy}: ${className} on the Secret`;
}

export interface DriverMarks {
  readonly labels: Readonly<Record<string, null>>;
  readonly owners: { readonly ownerReferences?: null };
}

/** What a merge patch has to take off, so that neither the driver nor the garbage collector lays hands on the Secret. */
export function driverMarks({ metadata }: Secret): DriverMarks {
  return {
    labels: metadata.labels?.[DRIVER_MANAGED_LABEL] === undefined ? {} : { [DRIVER_MANAGED_LABEL]: null },
    owners: (metadata.ownerReferences ?? []).length === 0 ? {} : { ownerReferences: null },
  };
}
