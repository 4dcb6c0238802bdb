import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void; // The flag above defines it.

/** Number of objects that still are reachable after a garbage collection. */
export async function heldOf(references: readonly WeakRef<object>[]): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    // A reference that was created or read in this turn of the event loop keeps its object alive until the next turn.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return references.filter((reference) => reference.deref() !== undefined).length;
}

/** Number of bytes in use after a garbage collection: objects, and the buffers of typed arrays. */
export async function heldBytes(): Promise<number> {
  await heldOf([]);
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
