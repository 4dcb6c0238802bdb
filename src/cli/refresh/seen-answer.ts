import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { ReflectorOptions } from "../../domain/ports/kube-watcher.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { cutRefresh } from "../../domain/sync/worker-answer.ts";
import type { Refreshing } from "./progress.ts";

/** Longest time to wait for the API server, in milliseconds. Without its answer, the command relies on the regular checks. */
const START_MS = 2_000;

/**
 * Watches the status of the class from before the request, and returns whether the status has named the request since. A regular check sees
 * only the last value: if someone resets the annotation, the worker may answer the reset before the next check. If the user may not watch,
 * the command relies on the regular checks.
 */
export async function followAnswer({ cluster, context, ref, request }: Refreshing, signal: AbortSignal): Promise<() => boolean> {
  const wanted = cutRefresh(request.value);
  let isNamed = false;
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const options: ReflectorOptions<string> = {
    resource: RESOURCES.secretProviderClassSyncs,
    namespace: ref.namespace,
    fieldSelector: `metadata.name=${ref.name}`,
    project: observedIn,
    onChange: (_, { current }) => {
      isNamed ||= current === wanted;
    },
    observer: { listed: () => resolve(), failed: () => resolve() },
  };
  (await cluster.watcher()).reflect(options, signal);
  await Promise.race([begun, context.clock.sleep(START_MS, signal)]);
  return () => isNamed;
}

function observedIn(object: KubeObject): string | undefined {
  const { status } = object as SecretProviderClassSync; // The watch returns only objects of this kind.
  return readStatus(status)?.observedRefresh;
}
