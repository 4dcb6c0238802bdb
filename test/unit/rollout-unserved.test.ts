import assert from "node:assert/strict";
import { test } from "node:test";
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import type { KubeWatcher, Reflector, ReflectorOptions } from "../../src/domain/ports/kube-watcher.ts";
import { WORKLOADS, type WorkloadKind } from "../../src/domain/rollout/workload-kinds.ts";
import { FollowedClasses } from "../../src/sync/rollouts/followed-classes.ts";
import { startRolloutWorkloads } from "../../src/sync/rollouts/rollout-workloads.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

/** The API server's live copies. A test can make the API server stop serving Rollouts for a time. */
class ServedAtTimes implements KubeWatcher {
  isServed = true;
  #listed: () => void = () => undefined;
  readonly #real: KubeWatcher;

  constructor(real: KubeWatcher) {
    this.#real = real;
  }

  reflect<T>(options: ReflectorOptions<T>, signal: AbortSignal): Reflector<T> {
    const real = this.#real.reflect(options, signal);
    if (options.resource.kind !== "Rollout") return real;
    this.#listed = () => options.observer?.listed?.(undefined);
    const isServed = (): boolean => this.isServed;
    return Object.create(real, {
      hasSynced: { get: () => isServed() && real.hasSynced },
      isUnserved: { get: () => !isServed() },
    }) as Reflector<T>; // Only these members differ.
  }

  /** Reports the list before `hasSynced` is true, as the real copy does. No object has changed. */
  comeBack(): void {
    this.#listed();
    this.isServed = true;
  }
}

const workload = (kind: WorkloadKind, name: string, className: string): KubeObject =>
  ({
    apiVersion: kind === "Rollout" ? "argoproj.io/v1alpha1" : "apps/v1",
    kind,
    metadata: { namespace: "team", name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { annotations: { [POD_ANNOTATIONS.restartOnRotation]: "true" } },
        spec: {
          containers: [{ name }],
          volumes: [{ name: "v", csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: className } } }],
        },
      },
    },
  }) as KubeObject;

test("RC-5: a kind that was not served and comes back unchanged has its classes followed again, and its namespaces looked at", async () => {
  const clock = new ManualClock();
  const cluster = new SimulatedCluster(clock);
  const watcher = new ServedAtTimes(cluster.watcher);
  for (const name of ["team", "other"]) cluster.put(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  cluster.put(WORKLOADS.Rollout, workload("Rollout", "web", "files"));
  const stop = new AbortController();
  const queued: string[] = [];
  const workloads = startRolloutWorkloads(
    {
      watcher,
      clock,
      logger: recordingLogger(),
      watchesArgo: true,
      onChange: (namespace) => {
        followed.note(namespace);
        queued.push(namespace);
      },
      onGone: () => undefined,
    },
    stop.signal,
  );
  const followed = new FollowedClasses(workloads);
  await clock.advance(1_000);
  assert.equal(followed.has("team/files"), true);
  assert.deepEqual(followed.changesIn("team"), ["team/files"]);

  watcher.isServed = false;
  cluster.put(WORKLOADS.Deployment, workload("Deployment", "neighbour", "else"));
  await clock.advance(1_000);
  assert.equal(followed.has("team/files"), false, "left out while nobody can tell");
  followed.changesIn("team");

  queued.length = 0;
  watcher.comeBack();
  assert.equal(followed.has("team/files"), true);
  assert.deepEqual(queued, ["team"]);
  assert.deepEqual(followed.changesIn("team"), ["team/files"]);
  stop.abort();
});
