import type { SecretProviderClassSpec } from "./kubernetes.ts";
import { type OperatorLimits, vaultRefusal } from "./provider-class/operator-limits.ts";
import type { ClassProblem } from "./provider-class/problem.ts";
import type { SupportedIdentity } from "./provider-class/this-version.ts";
import { openProviderClass, type ParseOptions, type ProviderClass, type UnusableClass } from "./read-class.ts";
import type { Result } from "./result.ts";

export interface ReadSteps<Identity, Refusal> {
  readonly namespace: string;
  readonly limits: OperatorLimits;
  readonly findIdentity: (mode: SupportedIdentity) => Promise<Result<Identity, Refusal>>;
  /** Prepares the reading of the objects. Returns a problem if they cannot be read. */
  readonly prepareObjects?: () => Promise<ClassProblem | undefined>;
}

export type OrderedRead<Identity, Refusal> =
  | { readonly kind: "class"; readonly providerClass: ProviderClass; readonly identity: Identity }
  | { readonly kind: "unidentified"; readonly refusal: Refusal }
  /** The operator's settings do not allow the vault. */
  | { readonly kind: "limited"; readonly problem: ClassProblem }
  | UnusableClass;

/**
 * Reads a class and its identity. The order of these steps determines which of several mistakes the worker reports, and which one the
 * commands predict. The identity comes before the objects, as in the provider, so that the provider reports the same mistake.
 */
export async function readInOrder<Identity, Refusal>(
  spec: SecretProviderClassSpec | undefined,
  options: ParseOptions,
  { namespace, limits, findIdentity, prepareObjects }: ReadSteps<Identity, Refusal>,
): Promise<OrderedRead<Identity, Refusal>> {
  const opened = openProviderClass(spec, options);
  if (opened.kind !== "opened") return opened;
  const identity = await findIdentity(opened.identity);
  if (!identity.ok) return { kind: "unidentified", refusal: identity.error };
  const unprepared = await prepareObjects?.();
  if (unprepared !== undefined) return { kind: "invalid", problem: unprepared };
  const parsed = opened.readObjects();
  if (!parsed.ok) return { kind: "invalid", problem: parsed.error };
  const problem = vaultRefusal(limits, parsed.value.address, namespace);
  if (problem !== undefined) return { kind: "limited", problem };
  return { kind: "class", providerClass: parsed.value, identity: identity.value };
}
