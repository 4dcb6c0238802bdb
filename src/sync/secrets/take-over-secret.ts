import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import type { Secret } from "../../domain/kubernetes.ts";
import type { DesiredSecret } from "../../domain/secret-objects/desired-secret.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { SecretAction } from "../../domain/sync/secret-plan.ts";
import { DRIVER_MANAGED_LABEL, driverRefusal, isAdopted, isAdoptionAgreed, type TakeOver, takeOver } from "../../domain/sync/take-over.ts";

/** Conditions under which a class can take over a Secret that the worker did not create. */
export interface TakeOverTerms {
  /** Names in the annotation `adopt` of the class. */
  readonly adopts: readonly string[];
  /** Name of the ClusterRoleBinding that lets the driver's own sync write Secrets; undefined while there is none. */
  readonly driverSync: string | undefined;
  /** `--adopt-driver-secrets` */
  readonly adoptDriverSecrets: boolean;
  /** Oldest class of the namespace that names the Secret. */
  readonly oldestClass: string | undefined;
}

interface Write {
  readonly secret: DesiredSecret;
  readonly className: string;
  readonly observed: ObservedSecret | undefined;
  readonly terms: TakeOverTerms;
}

/** Decides whether the class takes over the existing Secret of the same name. */
export function takeOverVerdict(
  { secret, className, terms }: Write,
  { live, observed }: { readonly live: Secret; readonly observed: ObservedSecret },
): TakeOver {
  const writer = live.metadata.managedFields?.find((entry) => entry.manager !== undefined)?.manager;
  return takeOver({ className, wanted: secret, live: observed, writer, ...terms });
}

/**
 * Keeps the mark of an adopted Secret as long as the Secret exists. Without the mark, the worker would delete a Secret that is older than
 * its class when the class is deleted.
 */
export function keepingAdoption(secret: DesiredSecret, isKept: boolean): DesiredSecret {
  return isKept ? { ...secret, annotations: { ...secret.annotations, [SECRET_ANNOTATIONS.adopted]: "true" } } : secret;
}

/**
 * Returns why the worker does not write a Secret that has its label; undefined if it writes the Secret. Possible reasons: the driver also
 * writes the Secret, the adoption is no longer agreed, or the write would delete a Secret that may belong to someone else.
 */
export function ownershipRefusal({ secret, observed, terms, className }: Write, action: SecretAction): string | undefined {
  if (observed === undefined) return undefined;
  const byDriver = driverRefusal({ wanted: secret, live: observed, ...terms });
  if (byDriver !== undefined) return byDriver;
  if (action.kind === "replace" && observed.lacksProof === true)
    return `Secret ${secret.name} has the worker's label, but nothing proves that this install created it, so the worker does not delete and recreate it: ${action.why}. Delete the Secret, or choose another secretName`;
  if (!isAdopted(observed)) return undefined;
  const disagreement = disagreementOn(observed, className, terms.adopts);
  if (disagreement !== undefined) return `Secret ${secret.name} was adopted, but ${disagreement}`;
  if (action.kind !== "replace") return undefined;
  return `Secret ${secret.name} was adopted and is not deleted: ${action.why}. Change the class, or remove ${secret.name} from its adopt annotation and delete the Secret`;
}

/**
 * Returns why the adoption is no longer agreed; undefined if it is. The class that adopted the Secret gives it back, if it still can. A
 * class that takes the place of that class has no more right to the Secret than any other class.
 */
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

/**
 * Returns the driver's label and the owner references for a merge patch to remove. Otherwise the driver or the garbage collector could
 * change or delete the Secret.
 */
export function driverMarks({ metadata }: Secret): DriverMarks {
  return {
    labels: metadata.labels?.[DRIVER_MANAGED_LABEL] === undefined ? {} : { [DRIVER_MANAGED_LABEL]: null },
    owners: (metadata.ownerReferences ?? []).length === 0 ? {} : { ownerReferences: null },
  };
}
