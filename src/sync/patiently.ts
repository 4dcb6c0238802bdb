import { KubeError } from "../domain/ports/kube-error.ts";
import type { Outcome } from "../runtime/workqueue.ts";

/** How soon a class in a namespace that is being deleted is looked at again (milliseconds). */
const TERMINATING_MS = 10_000;

/** For what the API server could not do; the vault's refusals have a back-off of their own. */
export const RETRIES = { baseMs: 1_000, maxMs: 60_000 };

/** What the API server refuses for good (a missing right, say) may be mended by people without any event: look again, slowly. */
export async function patiently(handle: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await handle();
  } catch (error) {
    // What a namespace takes along while it is deleted is not made again; the classes go in a moment themselves.
    if (error instanceof KubeError && error.code === "Terminating") return { kind: "requeueAfter", milliseconds: TERMINATING_MS };
    if (error instanceof KubeError && error.retry.kind === "never") return { kind: "retry", error, afterMs: RETRIES.maxMs };
    throw error;
  }
}
