/** What a deletion of a component is judged by. All of it read from the API server, after the component was found absent. */
export interface DeletionFacts {
  readonly isOwnDeployment: boolean;
  /** Milliseconds since the absence was first seen. */
  readonly absentFor: number;
  /** The install's own Namespace, without a deletionTimestamp. */
  readonly isNamespaceAlive: boolean;
  /** The worker's own Deployment, without a deletionTimestamp. */
  readonly isOwnDeploymentAlive: boolean;
  /** `uninstall --prepare` was run. */
  readonly isPrepared: boolean;
  /** The roles and bindings that the worker works by are all there: an uninstall takes them along, an accident does not. */
  readonly areRightsWhole: boolean;
}

export type DeletionVerdict =
  | { readonly kind: "restore" }
  /** Too early to tell: again after this many milliseconds. */
  | { readonly kind: "wait"; readonly milliseconds: number }
  /** Something says that the install is going. */
  | { readonly kind: "uninstalling"; readonly sign: string };

/** An uninstall deletes the worker's Deployment, its rights or its Namespace within this time of anything else. */
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
