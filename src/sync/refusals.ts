import { KubeError } from "../domain/ports/kube-error.ts";

/**
 * Makes one of several independent writes. Returns the error if the API server rejects the write, so that this holds up no other write;
 * undefined if the write succeeded. Rejects with an error that ends the whole pass: a stop, another leader, a bug.
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

/** Whether the error is an answer of the API server that does not end the whole pass. */
export function isRefusal(error: unknown): error is KubeError {
  return error instanceof KubeError && error.code !== "NotLeading";
}

/** Makes independent writes one after the other. Returns the errors of those that the API server rejects. */
export async function writeRefusals(writes: readonly (() => Promise<void>)[]): Promise<readonly KubeError[]> {
  const refusals: KubeError[] = [];
  for (const write of writes) refusals.push(...[await writeRefusal(write)].filter((refusal) => refusal !== undefined));
  return refusals;
}
