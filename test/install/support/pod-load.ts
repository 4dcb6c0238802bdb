import { setTimeout as pause } from "node:timers/promises";
import { type KubeObject, RESOURCES } from "../../../src/domain/kubernetes.ts";
import { pod, reader } from "../../e2e/support/workloads.ts";
import type { InstallWorld } from "./install-world.ts";

const LOAD_NAMESPACE = "load";
/** Interval between two pods in milliseconds: more pods per second than in a busy namespace, but few enough for the machine. */
const PACE_MS = 150;

interface CreatedPod extends KubeObject {
  readonly spec: { readonly volumes?: readonly { readonly csi?: { readonly driver: string } }[] };
}

/** Results for the pods that were created during other work. */
export interface LoadResult {
  readonly created: number;
  /** Messages, one for each denied pod. */
  readonly refused: readonly string[];
  /** Number of opted-in pods that were created without their volume. */
  readonly missed: number;
}

/**
 * Creates pods that opt in and pods that do not, in turn, as long as `work` runs. No scheduler places them, to save the machine's
 * resources.
 */
export async function underPodLoad(world: InstallWorld, work: () => Promise<unknown>): Promise<LoadResult> {
  await world.node.kubectl(["create", "namespace", LOAD_NAMESPACE]);
  const working = { isDone: false };
  const worked = work().finally(() => (working.isDone = true));
  const result = { created: 0, refused: [] as string[], missed: 0 };
  const creating = (async () => {
    for (let index = 0; !working.isDone; index += 1) {
      const optsIn = index % 2 === 0;
      const outcome = await createPod(world, `pod-${index}`, optsIn);
      if (outcome.kind === "refused") result.refused.push(outcome.said);
      else result.created += 1;
      if (outcome.kind === "created" && optsIn && !outcome.hasVolume) result.missed += 1;
      await pause(PACE_MS);
    }
  })();
  // Either may fail, but both must end before the next step begins.
  const [work_, load] = await Promise.allSettled([worked, creating]);
  await world.node.kubectl(["delete", "namespace", LOAD_NAMESPACE, "--timeout=60s"]);
  for (const settled of [work_, load]) if (settled.status === "rejected") throw settled.reason;
  return result;
}

type Outcome = { readonly kind: "created"; readonly hasVolume: boolean } | { readonly kind: "refused"; readonly said: string };

async function createPod({ access }: InstallWorld, name: string, optsIn: boolean): Promise<Outcome> {
  const made = pod(name, optsIn ? { containers: [reader()] } : { containers: [reader()], annotations: {} }) as CreatedPod; // `pod` builds it.
  const body = { ...made, metadata: { ...made.metadata, namespace: LOAD_NAMESPACE }, spec: { ...made.spec, schedulerName: "nobody" } };
  try {
    const created = await access.client.create<CreatedPod>(
      RESOURCES.pods,
      body,
      { fieldManager: "install-test" },
      AbortSignal.timeout(30_000),
    );
    return { kind: "created", hasVolume: (created.spec.volumes ?? []).some(({ csi }) => csi?.driver === "secrets-store.csi.k8s.io") };
  } catch (error) {
    return { kind: "refused", said: error instanceof Error ? error.message : String(error) };
  }
}
