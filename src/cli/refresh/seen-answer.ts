import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { ReflectorOptions } from "../../domain/ports/kube-watcher.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { cutRefresh } from "../../domain/sync/worker-answer.ts";
import type { Refreshing } from "./progress.ts";

/** Without an answer of the API server after so long (milliseconds), the looks alone have to do. */
const START_MS = 2_000;

/**
 * Watches the status of the class from before the request is made, and tells whether it has named the request since. A look knows the last
 * value alone: where somebody sets the annotation back, the worker answers that next, before anybody looks. Who may not watch goes by the looks.
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
  const { status } = object as SecretProviderClassSync; // An object of the kind that is watched.
  return readStatus(status)?.observedRefresh;
}
