/**
 * Facts by which the worker judges the deletion of a component. The worker reads all of them from the API server after it found the
 * component absent.
 */
export interface DeletionFacts {
  readonly isOwnDeployment: boolean;
  /** Milliseconds since the worker first saw the absence. */
  readonly absentFor: number;
  /** Whether the install's own Namespace exists without a deletionTimestamp. */
  readonly isNamespaceAlive: boolean;
  /** Whether the worker's own Deployment exists without a deletionTimestamp. */
  readonly isOwnDeploymentAlive: boolean;
  /** Whether `uninstall --prepare` was run. */
  readonly isPrepared: boolean;
  /** Whether all of the worker's roles and bindings exist. An uninstall deletes them, too; an accident does not. */
  readonly areRightsWhole: boolean;
}

export type DeletionVerdict =
  | { readonly kind: "restore" }
  /** Too early to decide: check again after this many milliseconds. */
  | { readonly kind: "wait"; readonly milliseconds: number }
  /** A sign that the install is being removed. */
  | { readonly kind: "uninstalling"; readonly sign: string };

/** An uninstall deletes the worker's Deployment, its rights or its Namespace within this time of any other deletion. */
export const SETTLING_MS = 10_000;

export function deletionVerdict(facts: DeletionFacts): DeletionVerdict {
  const sign = uninstallSign(facts);
  if (sign !== undefined) return { kind: "uninstalling", sign };
  const left = SETTLING_MS - facts.absentFor;
  return left > 0 ? { kind: "wait", milliseconds: left } : { kind: "restore" };
}

function uninstallSign(facts: DeletionFacts): string | undefined {
  if (facts.isPrepared) return "keyvault-injector uninstall --prepare was run";
  if (!facts.isNamespaceAlive) return "the install's Namespace is being deleted";
  if (facts.isOwnDeployment) return facts.areRightsWhole ? undefined : "the worker's permissions were deleted as well";
  return facts.isOwnDeploymentAlive ? undefined : "the worker's own Deployment is deleted or being deleted";
}
