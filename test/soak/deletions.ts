import { RESOURCES, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { CLASS_CRD } from "../support/worker/sync-world.ts";
import { NAMESPACE, type SoakWorld } from "./world.ts";

/** How the names of classes begin that come and go; the others stay. */
export const PASSING = "passing";

/** Of a class by its owner. */
export interface Deletion {
  /** Of the class; no other one ever has it. */
  readonly name: string;
  /** When it was asked for (milliseconds of `performance.now`). */
  readonly at: number;
  /** The class CRD was the same, and not on its way out, before and after it. */
  readonly isUnderOneDefinition: boolean;
}

/** A new leader has the lease, and has seen what happened, after this time at the latest (milliseconds). */
const SEEN_WITHIN_MS = 25_000;

/** Of the class CRD; undefined while it is away or on its way out. */
export async function definitionUid({ kube, signal }: SoakWorld): Promise<string | undefined> {
  const found = await kube.read(RESOURCES.customResourceDefinitions, { name: CLASS_CRD }, signal);
  const metadata = found.kind === "found" ? found.object.metadata : undefined;
  return metadata?.deletionTimestamp === undefined ? metadata?.uid : undefined;
}

/**
 * Whether the class must stay deleted. One that is deleted with its CRD, or right before it, can't be told from those that only the
 * CRD's deletion took along: it comes back, and its owner has to delete it once more.
 */
export function mustHold({ at, isUnderOneDefinition }: Deletion, definitionsDeletedAt: readonly number[]): boolean {
  return isUnderOneDefinition && definitionsDeletedAt.every((time) => time < at || time > at + SEEN_WITHIN_MS);
}

/** Names of passing classes that are there though all were deleted. Deletes them once more. */
export async function deleteAgain({ kube, signal }: SoakWorld): Promise<readonly string[]> {
  const live = await kube.list<SecretProviderClass>(RESOURCES.secretProviderClasses, { namespace: NAMESPACE }, signal);
  const back = live.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(PASSING));
  for (const name of back) await kube.delete(RESOURCES.secretProviderClasses, { namespace: NAMESPACE, name }, {}, signal);
  return back;
}
