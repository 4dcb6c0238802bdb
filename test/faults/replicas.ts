import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import type { ControlPlane } from "../support/cluster/control-plane.ts";
import type { Product, ProductProcess } from "../support/cluster/product.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { startTcpProxy, type TcpProxy } from "../support/processes/tcp-proxy.ts";
import { eventually } from "../support/time/eventually.ts";
import { find, LEASE } from "../support/worker/sync-world.ts";

const ACCOUNT = { namespace: "keyvault-injector", name: "keyvault-injector-sync" };
const CLOCK_MODULE = path.join(import.meta.dirname, "stepped-process-clock.ts");

/** Four worlds share the machine. The start of a process is not measured by itself, but counts towards the recovery. */
const STARTED_WITHIN_MS = 120_000;

/** One pod of the Deployment, with its own token, connection to the API server, and clock. */
interface Pod {
  readonly name: string;
  readonly kubeconfig: string;
  /** Credential id in audit entries. */
  readonly credential: string;
  readonly proxy: TcpProxy;
  readonly clockFile: string;
}

/** A replica with its current process. */
export interface Replica extends Pod {
  readonly process: ProductProcess;
}

/** Two replicas of the worker. Each is restarted when it ends, as by the kubelet. */
export class Replicas {
  readonly #product: Product;
  readonly #pods: Pod[] = [];
  readonly #running = new Map<Pod, ProductProcess>();
  readonly #restarts = new Map<Pod, Promise<void>>();
  #args: readonly string[] = [];
  #isStopping = false;

  constructor(product: Product) {
    this.#product = product;
  }

  async start(count: number, args: readonly string[]): Promise<void> {
    this.#args = args;
    this.#isStopping = false;
    while (this.#pods.length < count) this.#pods.push(await makePod(this.#product.plane, `replica-${this.#pods.length}`));
    for (const pod of this.#pods) await this.#startPod(pod);
    await this.leader();
  }

  get all(): readonly Replica[] {
    return [...this.#running].map(([pod, process]) => ({ ...pod, process }));
  }

  /** Waits until a running replica holds the Lease. */
  leader(): Promise<Replica> {
    return eventually(
      async () => {
        const lease = await find<KubeObject & { readonly spec?: { readonly holderIdentity?: string } }>(this.#product.plane, LEASE);
        const holder = lease?.spec?.holderIdentity ?? "";
        return this.all.find(({ process }) => holder.includes(`-${new URL(process.healthUrl).port}_`));
      },
      { within: 60_000, what: "a leader" },
    );
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    // Waits for replicas that are starting, and then stops them too.
    await Promise.all(this.#restarts.values());
    await Promise.all([...this.#running.values()].map((process) => process.stop()));
  }

  async close(): Promise<void> {
    await this.stop();
    await Promise.all(this.#pods.map(({ proxy }) => proxy.stop()));
  }

  async #startPod(pod: Pod): Promise<void> {
    const process = await this.#product.start("sync", {
      args: this.#args,
      within: STARTED_WITHIN_MS,
      environment: {
        KUBECONFIG: pod.kubeconfig,
        KEYVAULT_INJECTOR_TEST_CLOCK: pod.clockFile,
        NODE_OPTIONS: `--import=${CLOCK_MODULE}`,
      },
    });
    this.#running.set(pod, process);
    this.#keep(pod, process);
  }

  #keep(pod: Pod, process: ProductProcess): void {
    const restarted = async (): Promise<void> => {
      await process.exited;
      if (this.#isStopping) return;
      writeFileSync(pod.clockFile, "0");
      const restart = this.#startPod(pod);
      this.#restarts.set(
        pod,
        restart.catch(() => undefined),
      );
      await restart;
    };
    restarted().catch((error: unknown) => console.error(`faults: ${pod.name} did not start again`, error));
  }
}

async function makePod(plane: ControlPlane, name: string): Promise<Pod> {
  const { hostname, port } = new URL(plane.server);
  const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
  const token = await serviceAccountToken(plane, ACCOUNT.namespace, ACCOUNT.name);
  const kubeconfig = path.join(plane.directory, `${name}.kubeconfig`);
  const cluster = { server: `https://127.0.0.1:${proxy.port}`, "certificate-authority-data": plane.config.caData };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster }],
    users: [{ name, user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: name } }],
    "current-context": "test",
  };
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  const clockFile = path.join(plane.directory, `${name}.clock`);
  writeFileSync(clockFile, "0");
  return { name, kubeconfig, credential: credentialOf(token), proxy, clockFile };
}

function credentialOf(token: string): string {
  const claims: { readonly jti: string } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  return `JTI=${claims.jti}`;
}

/** Shifts the process's wall clock by this number of milliseconds. */
export function stepClock({ process: { pid }, clockFile }: Replica, milliseconds: number): void {
  rmSync(`${clockFile}.read`, { force: true });
  writeFileSync(clockFile, String(milliseconds));
  process.kill(pid, "SIGUSR2");
}

/** Time that the process read after the shift. Undefined before that. */
export function readClock({ clockFile }: Replica): string | undefined {
  return existsSync(`${clockFile}.read`) ? readFileSync(`${clockFile}.read`, "utf8") : undefined;
}
