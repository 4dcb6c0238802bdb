import { type ObjectRef, RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeClient, ReadResult } from "../../domain/ports/kube-client.ts";

/** Milliseconds for which one read of the credentials serves the classes of a namespace, which the worker polls one after the other. */
export const RECENT_MS = 10_000;

interface Read {
  readonly at: number;
  readonly result: ReadResult<Secret>;
}

/** Reads Secrets, and returns a recent read if the caller allows it. If a Secret does not exist, it is read each time. */
export class RecentSecrets {
  readonly #kube: Pick<KubeClient, "read">;
  readonly #clock: Clock;
  readonly #reads = new Map<string, Read>();

  constructor(kube: Pick<KubeClient, "read">, clock: Clock) {
    this.#kube = kube;
    this.#clock = clock;
  }

  /** `recentMs`: maximum age of a read in milliseconds. 0: reads the Secret from the API server. */
  async read(ref: ObjectRef, recentMs: number, signal: AbortSignal): Promise<ReadResult<Secret>> {
    const at = this.#clock.now();
    for (const [old, read] of this.#reads) if (!isRecent(read, RECENT_MS, at)) this.#reads.delete(old);
    const key = objectKey(ref);
    const known = this.#reads.get(key);
    if (known !== undefined && isRecent(known, recentMs, at)) return known.result;
    const result = await this.#kube.read<Secret>(RESOURCES.secrets, ref, signal);
    if (result.kind === "found") this.#reads.set(key, { at, result });
    else this.#reads.delete(key);
    return result;
  }
}

function isRecent({ at }: Read, recentMs: number, now: number): boolean {
  return now >= at && now - at < recentMs;
}
