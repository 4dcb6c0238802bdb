import { type ObjectRef, RESOURCES, type Secret } from "../../../src/domain/kubernetes.ts";
import { objectKey } from "../../../src/domain/object-key.ts";
import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import { kubeAccess } from "../../support/cluster/kube-access.ts";
import type { BenchObject } from "./vaults.ts";

/** Progress of the expected Secrets. */
export interface Arrival {
  /**
   * Unix times in milliseconds at which the watch first showed the right content of each Secret, sorted. Does not contain Secrets that
   * never had it.
   */
  readonly times: readonly number[];
  /** The same times by `namespace/name`. */
  readonly seenAt: ReadonlyMap<string, number>;
  /** Wait for each of them in milliseconds, sorted. */
  readonly waits: readonly number[];
  readonly isComplete: boolean;
}

/** Checks which Secrets contain the vault's value. The watch belongs to the administrator and does not count for any contestant. */
export interface SecretWatch {
  /** Waits for these Secrets from now on, regardless of their current content. */
  expect(objects: readonly BenchObject[]): void;
  /** Waits until all expected Secrets are right, at most for this many milliseconds. Then forgets the expectations. */
  arrived(withinMs: number): Promise<Arrival>;
  stop(): Promise<void>;
}

export async function watchSecrets(plane: ControlPlane): Promise<SecretWatch> {
  const ended = new AbortController();
  const access = kubeAccess(plane.kubeconfigPath);
  const awaited = new Map<string, { readonly value: string; readonly since: number }>();
  let seenAt = new Map<string, number>();
  let waits: number[] = [];
  let done: () => void = () => undefined;
  const note = (ref: ObjectRef, value: string | undefined): void => {
    const key = objectKey(ref);
    const wanted = awaited.get(key);
    if (value === undefined || wanted?.value !== value) return;
    awaited.delete(key);
    const now = Date.now();
    seenAt.set(key, now);
    waits.push(now - wanted.since);
    if (awaited.size === 0) done();
  };
  const reflector = access.watcher().reflect<string>(
    {
      resource: RESOURCES.secrets,
      project: (secret: Secret) => secret.data?.["value"],
      onChange: (ref, { current }) => note(ref, current),
    },
    ended.signal,
  );
  await reflector.synced(AbortSignal.timeout(60_000));
  return {
    expect: (objects) => {
      for (const { name, vault, value } of objects)
        awaited.set(objectKey({ namespace: vault.name, name }), { value: Buffer.from(value).toString("base64"), since: Date.now() });
    },
    arrived: async (withinMs) => {
      const all = new Promise<void>((resolve) => {
        done = resolve;
      });
      if (awaited.size > 0) await Promise.race([all, timeout(withinMs)]);
      const arrival = {
        times: [...seenAt.values()].toSorted((a, b) => a - b),
        seenAt,
        waits: waits.toSorted((a, b) => a - b),
        isComplete: awaited.size === 0,
      };
      awaited.clear();
      seenAt = new Map();
      waits = [];
      return arrival;
    },
    stop: async () => {
      ended.abort();
      await access.config.close();
    },
  };
}

function timeout(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
