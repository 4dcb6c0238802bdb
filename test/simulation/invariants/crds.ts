/** Writes of the worker to a CRD that someone deletes. */
import { SYNC_USER } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";

const CRDS = "customresourcedefinitions.apiextensions.k8s.io";
const RETRIED = "keyvault-injector.dev/deletion-retried";

/** Reasons of the condition `Terminating` after which the API server does not finish the deletion soon by itself. */
const FAILURES: readonly unknown[] = ["InstanceDeletionFailed", "InstanceDeletionCheck"];

interface Definition {
  readonly metadata: { readonly uid: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly reason?: string }[] };
}

export const deletionsAreLeft: Invariant = {
  name: "a deletion of a CRD is retried only after it has failed",
  watch: (world, violated) => {
    const retries = new Map<string, string | undefined>();
    world.onWrite(({ user, resource, name, isDryRun }) => {
      if (resource !== CRDS || isDryRun) return;
      const object = world.cluster.server.object(CRDS, name) as Definition | undefined; // As the API server stores it.
      if (object === undefined) return;
      const { uid, annotations } = object.metadata;
      const retried = annotations?.[RETRIED];
      const isRetry = user === SYNC_USER && retried !== undefined && retried !== retries.get(uid);
      retries.set(uid, retried);
      // The worker's write names the resourceVersion that it has read, so the condition is still the one that it saw.
      const reason = object.status?.conditions?.find(({ type }) => type === "Terminating")?.reason;
      if (isRetry && !FAILURES.includes(reason)) violated(`the deletion of ${name} is retried at ${reason ?? "no condition"}`);
    });
  },
};
