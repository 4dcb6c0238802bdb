import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { assertNever } from "../../domain/assert-never.ts";
import { RESOURCES, type Secret, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { refOfKey } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { findByName } from "../find-by-name.ts";
import type { CrdHealth } from "../healing/crd-health.ts";
import type { Precondition } from "./action.ts";
import { hasLiveConsumer } from "./consumers.ts";
import type { ClassCaches } from "./observe.ts";

/** Sources for the checks of preconditions. */
interface Reading {
  readonly kube: KubeClient;
  readonly caches: Pick<ClassCaches, "consumers" | "secrets"> & { readonly cluster: { readonly crdHealth: Pick<CrdHealth, "confirm"> } };
}

/**
 * Whether all preconditions hold now. Checks them one after the other, in order: a fact must not be read later than the fact by which it is
 * judged.
 */
export async function arePreconditionsMet(
  ports: Reading,
  { key }: { readonly key: string },
  preconditions: readonly Precondition[],
  signal: AbortSignal,
): Promise<boolean> {
  for (const precondition of preconditions) if (!(await holds(ports, key, precondition, signal))) return false;
  return true;
}

async function holds({ kube, caches }: Reading, key: string, precondition: Precondition, signal: AbortSignal): Promise<boolean> {
  const ref = refOfKey(key);
  const read = () => kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, ref, signal);
  switch (precondition.kind) {
    case "classAbsent":
      return (await read()).kind === "absent";
    case "classUnchanged": {
      const found = await read();
      return found.kind === "found" && found.object.metadata.resourceVersion === precondition.resourceVersion;
    }
    case "crdHealthy": {
      const crd = await caches.cluster.crdHealth.confirm(signal);
      return crd.kind === "whole" && (precondition.uid === undefined || precondition.uid === crd.crdUid);
    }
    case "noLiveConsumer":
      return !(await hasLiveConsumer(kube, ref, signal));
    case "unused":
      return !caches.consumers.isUsed(key);
    case "noUnseenSecrets": {
      for (const name of precondition.names) {
        const secret = await findByName<Secret>(kube, { resource: RESOURCES.secrets, ref: { namespace: ref.namespace, name } }, signal);
        const { labels = {}, annotations = {} } = secret?.metadata ?? {};
        if (labels[MANAGED_LABEL] === "true" && annotations[SECRET_ANNOTATIONS.class] === ref.name) return false;
      }
      return true;
    }
    case "sameSecrets": {
      const planned = new Set(precondition.named.map(({ ref: { name }, uid }) => `${name} ${uid}`));
      const named = caches.secrets.ofClass(key);
      return named.length === planned.size && named.every(({ ref: { name }, uid }) => planned.has(`${name} ${uid}`));
    }
    default:
      return assertNever(precondition);
  }
}
