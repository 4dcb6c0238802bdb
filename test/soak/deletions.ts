import { RESOURCES, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { CLASS_CRD } from "../support/worker/sync-world.ts";
import { NAMESPACE, type SoakWorld } from "./world.ts";

/** Name prefix of classes that tests create and delete. The others stay. */
export const PASSING = "passing";

/** Deletion of a class by its owner. */
export interface Deletion {
  /** Name of the class. No other class ever has it. */
  readonly name: string;
  /** Time of the request, in milliseconds of `performance.now`. */
  readonly at: number;
  /** Whether the class CRD was the same before and after the deletion, and was not being deleted. */
  readonly isUnderOneDefinition: boolean;
}

/** Time in milliseconds after which a new leader has the lease and has seen all events. */
const SEEN_WITHIN_MS = 25_000;

/** Returns the uid of the class CRD. Undefined if it is missing or is being deleted. */
export async function definitionUid({ kube, signal }: SoakWorld): Promise<string | undefined> {
  const found = await kube.read(RESOURCES.customResourceDefinitions, { name: CLASS_CRD }, signal);
  const metadata = found.kind === "found" ? found.object.metadata : undefined;
  return metadata?.deletionTimestamp === undefined ? metadata?.uid : undefined;
}

/**
 * Whether the class must stay deleted. The worker cannot distinguish a class that its owner deletes with its CRD, or right before it, from
 * classes that were deleted only because of their CRD. It restores such a class, and the owner has to delete it again.
 */
export function mustHold({ at, isUnderOneDefinition }: Deletion, definitionsDeletedAt: readonly number[]): boolean {
  return isUnderOneDefinition && definitionsDeletedAt.every((time) => time < at || time > at + SEEN_WITHIN_MS);
}

/** Deletes the passing classes that exist although all were deleted. Returns their names. */
export async function deleteAgain({ kube, signal }: SoakWorld): Promise<readonly string[]> {
  const live = await kube.list<SecretProviderClass>(RESOURCES.secretProviderClasses, { namespace: NAMESPACE }, signal);
  const back = live.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(PASSING));
  for (const name of back) await kube.delete(RESOURCES.secretProviderClasses, { namespace: NAMESPACE, name }, {}, signal);
  return back;
}
