import { Registry } from "prom-client";
import { type KubeObject, RESOURCES } from "../../../src/domain/kubernetes.ts";
import { recordName } from "../../../src/domain/rollout/mounted-files.ts";
import { WORKLOADS } from "../../../src/domain/rollout/workload-kinds.ts";
import { rfc3339 } from "../../../src/domain/sync/stored-time.ts";
import type { RolloutSettings } from "../../../src/sync/rollouts/rollout-context.ts";
import { createRolloutMetrics } from "../../../src/sync/rollouts/rollout-metrics.ts";
import { createRollouts } from "../../../src/sync/rollouts/rollouts.ts";
import { ListedVaults } from "../worker/listed-vault.ts";
import { classOf, type Leader, SimulatedWorld } from "./world.ts";

export const CLASS = { namespace: "team", name: "files" };
const WEB = { namespace: "team", name: "web" };

/** A Deployment `web` that mounts the class `files` without Secrets, and two vaults that got the class's object in the same second. */
export class MountedWorld {
  readonly world = new SimulatedWorld();
  readonly one = new ListedVaults(this.world.clock);
  readonly two = new ListedVaults(this.world.clock);
  readonly #leader: Leader;
  #pods: readonly KubeObject[] = [];

  /** `filesGraceMs` is the time in milliseconds that a restart waits for the driver. */
  constructor(filesGraceMs = 0) {
    const { cluster, clock, logger } = this.world;
    // Makes the versions of the two vaults differ.
    this.two.set("another");
    for (const vault of [this.one, this.two]) vault.set("db");
    cluster.put(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "team" } });
    cluster.put(WORKLOADS.Deployment, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: WEB,
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: "web" } },
        template: {
          metadata: { annotations: { "keyvault-injector.dev/restart-on-rotation": "true" } },
          spec: {
            containers: [{ name: "web" }],
            volumes: [{ name: "v", csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "files" } } }],
          },
        },
      },
      status: { observedGeneration: 99, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
    } as KubeObject);
    const settings: RolloutSettings = {
      mostAtATime: 1,
      timeoutMs: 600_000,
      filesGraceMs,
      controls: { mode: "act", window: { kind: "always" } },
      mostInCluster: 9_999,
      respectsBudgets: false,
      watchesArgo: false,
    };
    const metrics = createRolloutMetrics(new Registry());
    const rollouts = createRollouts({ settings, watcher: cluster.watcher, metrics, clock, logger, random: () => 0.5 });
    const vaults: Pick<ListedVaults, "clientFor"> = {
      clientFor: (address, ...rest) => (address.vaultUrl.includes("vault-1") ? this.one : this.two).clientFor(address, ...rest),
    };
    this.#leader = this.world.lead({ rollouts, vaults });
  }

  stop = async (): Promise<void> => this.#leader.stop();

  /** Applies the class with this vault and version. */
  name(vault: string, version?: string): void {
    const { spec, ...rest } = classOf({ ...CLASS, objects: ["db"], vault });
    const { secretObjects: _, parameters = {}, ...mounted } = spec ?? {};
    const pin = version === undefined ? "" : `    objectVersion: ${version}\n`;
    const objects = `${parameters["objects"] ?? ""}${pin}`;
    this.world.cluster.put(RESOURCES.secretProviderClasses, {
      ...rest,
      spec: { ...mounted, parameters: { ...parameters, objects } },
    } as KubeObject);
  }

  /** Creates a pod, and deletes all others. */
  pod(name = "web-1"): void {
    for (const { metadata } of this.#pods) this.world.cluster.delete(RESOURCES.pods, { namespace: "team", name: metadata.name });
    const metadata = { namespace: "team", name, labels: { app: "web" } };
    const made = { apiVersion: "v1", kind: "Pod", metadata, status: { phase: "Running" } } as KubeObject;
    this.#pods = [this.world.cluster.put(RESOURCES.pods, made)];
  }

  /** Records the mounted version of the pod, like the driver or another user with the right to write such records. */
  record(version: string): void {
    for (const { metadata } of this.#pods) {
      const { name, uid = "" } = metadata;
      this.world.cluster.put(RESOURCES.secretProviderClassPodStatuses, {
        apiVersion: "secrets-store.csi.x-k8s.io/v1",
        kind: "SecretProviderClassPodStatus",
        metadata: {
          namespace: "team",
          name: recordName("team", name, CLASS.name),
          ownerReferences: [{ apiVersion: "v1", kind: "Pod", name, uid }],
          managedFields: [{ manager: "driver", time: rfc3339(this.world.clock.now()), fieldsV1: { "f:status": {} } }],
        },
        status: { podName: name, secretProviderClassName: CLASS.name, mounted: true, objects: [{ id: "secret/db", version }] },
      } as KubeObject);
    }
  }

  pass = async (milliseconds: number): Promise<void> => this.world.clock.advance(milliseconds);

  /** Version and state of the class's object, and the conditions `Ready` and `Fresh`. */
  get says(): readonly (string | undefined)[] {
    const [object] = this.world.status(CLASS)?.objects ?? [];
    return [object?.version, object?.state, this.world.condition(CLASS, "Ready"), this.world.condition(CLASS, "Fresh")];
  }

  /** Stamp of the template's last restart. Undefined before the first one. */
  get restartedFor(): unknown {
    const live = this.world.cluster.get(WORKLOADS.Deployment, WEB) as { readonly spec?: { readonly template?: KubeObject } } | undefined;
    return live?.spec?.template?.metadata.annotations?.["keyvault-injector.dev/rotated"];
  }

  /** The class's condition `Rotated`, which shows whether pods have the class's versions. */
  get rotated(): string | undefined {
    const found = this.world.status(CLASS)?.conditions.find(({ type }) => type === "Rotated");
    return found && `${found.status} ${found.reason}: ${found.message}`;
  }
}
