import { setTimeout as pause } from "node:timers/promises";
import { type KubeObject, RESOURCES } from "../../../src/domain/kubernetes.ts";
import { pod, reader } from "../../e2e/support/workloads.ts";
import type { InstallWorld } from "./install-world.ts";

const LOAD_NAMESPACE = "load";
/** Between two pods, in milliseconds: a handful each second is more than a busy namespace sees, and leaves the machine its work. */
const PACE_MS = 150;

interface CreatedPod extends KubeObject {
  readonly spec: { readonly volumes?: readonly { readonly csi?: { readonly driver: string } }[] };
}

/** What became of pods that were created all the time while something else happened. */
export interface LoadResult {
  readonly created: number;
  /** What was said, one text for each pod that was refused. */
  readonly refused: readonly string[];
  /** Opted-in pods that were created without their volume. */
  readonly missed: number;
}

/** Pods that opt in and pods that don't, in turn, while `work` lasts. No scheduler takes them: the machine has other things to do. */
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
  // Either may fail: both have to end before the next step begins.
  const [work_, load] = await Promise.allSettled([worked, creating]);
  await world.node.kubectl(["delete", "namespace", LOAD_NAMESPACE, "--timeout=60s"]);
  for (const settled of [work_, load]) if (settled.status === "rejected") throw settled.reason;
  return result;
}

type Outcome = { readonly kind: "created"; readonly hasVolume: boolean } | { readonly kind: "refused"; readonly said: string };

async function createPod({ access }: InstallWorld, name: string, optsIn: boolean): Promise<Outcome> {
  const made = pod(name, optsIn ? { containers: [reader()] } : { containers: [reader()], annotations: {} }) as CreatedPod; // Built there.
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
