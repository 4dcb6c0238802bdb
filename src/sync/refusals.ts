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
    if (!(error instanceof KubeError) || error.code === "NotLeading") throw error;
    return error;
  }
}

/** The one that is to be tried again first: the queue repeats the whole pass by it. */
export function soonestOf(refusals: readonly KubeError[]): KubeError | undefined {
  return refusals.find(({ retry }) => retry.kind !== "never") ?? refusals[0];
}
