import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void; // The flag above puts it there.

/** How many of the objects are still held by somebody, after all garbage has been collected. */
export async function heldOf(references: readonly WeakRef<object>[]): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    // A reference that was made or read in this turn of the loop holds its object until the next.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return references.filter((reference) => reference.deref() !== undefined).length;
}

/** What is held after all garbage has been collected, in bytes: objects, and the buffers of typed arrays beside them. */
export async function heldBytes(): Promise<number> {
  await heldOf([]);
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
