import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import { type ObjectRef, RESOURCES, type Resource } from "../../domain/kubernetes.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { type Cluster, CommandFailure } from "../shared/command.ts";
import { refusalText } from "../shared/viewer.ts";

const FIELD_MANAGER = "keyvault-injector-refresh";

/** Requests for pods under way at a time: each makes a kubelet ask the vault. */
const PODS_AT_A_TIME = 4;

export interface Asking {
  readonly kube: Cluster["kube"];
  readonly signal: AbortSignal;
  /** Value of the annotation: another one than before. */
  readonly value: string;
}

/** Has the worker ask the vault for the class; throws {@link CommandFailure} where the user may not. */
export async function askWorker(asking: Asking, spc: Required<ObjectRef>): Promise<void> {
  const refusal = await annotate(asking, RESOURCES.secretProviderClasses, spc);
  if (refusal !== undefined) throw new CommandFailure(refusal);
}

/**
 * Has the kubelets look at the pods again. A pod whose annotations change is synced at once, and a sync is what version 1.6 of the driver
 * mounts again at. Resolves with why it was not possible: for want of a right no other pod is tried.
 */
export async function askKubelets(asking: Asking, namespace: string, pods: readonly string[]): Promise<readonly string[]> {
  const waiting = [...pods];
  const refusals: string[] = [];
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined && refusals.length === 0; name = waiting.shift()) {
      const refusal = await annotate(asking, RESOURCES.pods, { namespace, name });
      if (refusal !== undefined) refusals.push(refusal);
    }
  };
  await Promise.all(Array.from({ length: PODS_AT_A_TIME }, worker));
  return refusals;
}

/** One key for both: what is annotated is brought up to date. A pod that is gone meanwhile is nobody's trouble. */
async function annotate({ kube, value, signal }: Asking, resource: Resource, ref: Required<ObjectRef>): Promise<string | undefined> {
  const patch = { metadata: { annotations: { [CLASS_ANNOTATIONS.refresh]: value } } };
  try {
    await kube.mergePatch(resource, ref, patch, { fieldManager: FIELD_MANAGER }, signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.code === "NotFound" && resource === RESOURCES.pods) return undefined;
    return refusalText(`patch ${resource.plural} ${ref.namespace}/${ref.name}`, error);
  }
}
