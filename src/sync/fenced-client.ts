import { type KubeClient, KubeError } from "../domain/ports.ts";

/**
 * The client of a leader, which writes nothing once the lease may be another's. A process that was stopped for a while goes on where it
 * was: the answers that have come meanwhile are acted on before any timer says that the lease has run out.
 */
export function fencedClient(kube: KubeClient, holdsLease: () => boolean): KubeClient {
  async function whileHeld<T>(write: () => Promise<T>): Promise<T> {
    if (holdsLease()) return write();
    throw new KubeError("Conflict", "nothing is written: the lease was not renewed in time and may be another replica's", {
      retry: { kind: "backoff" },
    });
  }
  return {
    read: (...given) => kube.read(...given),
    list: (...given) => kube.list(...given),
    requestToken: (...given) => kube.requestToken(...given),
    create: (...given) => whileHeld(() => kube.create(...given)),
    replace: (...given) => whileHeld(() => kube.replace(...given)),
    apply: (...given) => whileHeld(() => kube.apply(...given)),
    mergePatch: (...given) => whileHeld(() => kube.mergePatch(...given)),
    delete: (...given) => whileHeld(() => kube.delete(...given)),
  };
}
