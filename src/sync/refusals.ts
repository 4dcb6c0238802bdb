import { KubeError } from "../domain/ports/kube-error.ts";

/**
 * The API server's refusal of one write among several that do not depend on each other, so that it holds up none of them; undefined where it took
 * it. Rejects with what ends the whole pass: a stop, another leader, a bug.
 */
export async function writeRefusal(write: () => Promise<void>): Promise<KubeError | undefined> {
  try {
    await write();
    return undefined;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return error;
  }
}

/** The API server's word, and none that ends what is under way. */
export function isRefusal(error: unknown): error is KubeError {
  return error instanceof KubeError && error.code !== "NotLeading";
}

/** Of writes that do not depend on each other, one after the other: the refusal by which the whole is to be tried again, as {@link soonestOf}. */
export async function soonestRefusal(writes: readonly (() => Promise<void>)[]): Promise<KubeError | undefined> {
  const refusals: KubeError[] = [];
  for (const write of writes) refusals.push(...[await writeRefusal(write)].filter((refusal) => refusal !== undefined));
  return soonestOf(refusals);
}

/** The one that is to be tried again first: the queue repeats the whole pass by it. */
export function soonestOf(refusals: readonly KubeError[]): KubeError | undefined {
  return refusals.find(({ retry }) => retry.kind !== "never") ?? refusals[0];
}
