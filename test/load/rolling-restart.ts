/**
 * Runs two replicas behind a balancer that notices readiness a second late. Restarts both one after the other and replaces the CA, while
 * opted-in pods are created at a steady rate.
 *
 *   node test/load/rolling-restart.ts [--seconds 60] [--rate 50]
 *
 * Needs KUBEBUILDER_ASSETS. Exits with code 1 if a pod was missed, denied or failed, or if the control lost none.
 */
import { parseArgs } from "node:util";
import { type ControlPlane, startControlPlane } from "../support/cluster/control-plane.ts";
import { freePort, installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import { certificatesIn, liveConfiguration } from "../support/webhook/certificate-replicas.ts";
import { type PodCounts, type PodStream, startPodStream } from "./pod-stream.ts";
import { type Backend, startTcpBalancer, type TcpBalancer } from "./tcp-balancer.ts";

export interface RollingOptions {
  readonly seconds: number;
  readonly perSecond: number;
  /** False in the control: the processes then end immediately when they are stopped. */
  readonly isDraining: boolean;
  /** Timeout in the webhook configuration. The default is the shipped 5. A busy machine answers late, which this test does not measure. */
  readonly timeoutSeconds?: number;
}

export interface RollingResult extends PodCounts {
  readonly seconds: number;
  readonly restarts: number;
  /** Whether the bundle contains another CA than at the start. */
  readonly isNewAuthority: boolean;
  readonly p50: number;
  readonly p99: number;
  readonly messages: readonly string[];
}

const READINESS_DELAY_MS = 1_000;

/** The shipped terminationGracePeriodSeconds. */
const LONGEST_STOP_MS = 40_000;

/** Runs the test. Needs a product without running processes, and stops all processes that it starts. */
export async function runRollingRestart(product: Product, options: RollingOptions): Promise<RollingResult> {
  const { plane } = product;
  const balancer = await startTcpBalancer({ delayMs: READINESS_DELAY_MS });
  const start = (): Promise<Replica> => startReplica(product, balancer, options);
  let replicas: readonly Replica[] = [await start(), await start()];
  let stream: PodStream | undefined;
  try {
    await sendReviewsTo(plane, balancer.port, options.timeoutSeconds ?? 5);
    const authority = await currentAuthority(plane);
    stream = startPodStream(plane, options.perSecond);
    const began = performance.now();
    await plane.kubectl(["delete", "secret", "keyvault-injector-ca", "-n", product.namespace]);
    await eventually(async () => (await currentAuthority(plane)) !== authority, { what: "the new CA in the bundle" });
    for (const old of replicas) {
      // Like the shipped Deployment: first one more replica, then one fewer.
      const next = await start();
      await stopReplica(old, balancer);
      replicas = [...replicas.filter((replica) => replica !== old), next];
    }
    const left = options.seconds * 1_000 - (performance.now() - began);
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
    await stream.stop();
    const sorted = [...stream.latencies].sort((a, b) => a - b);
    return {
      ...stream.counts,
      seconds: (performance.now() - began) / 1_000,
      restarts: 2,
      isNewAuthority: (await currentAuthority(plane)) !== authority,
      p50: sorted[Math.floor(sorted.length * 0.5)] ?? 0,
      p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
      messages: stream.messages,
    };
  } finally {
    await stream?.stop();
    await Promise.all(replicas.map(({ process }) => process.kill()));
    await balancer.stop();
  }
}

interface Replica {
  readonly process: ProductProcess;
  readonly backend: Backend;
}

async function startReplica(product: Product, balancer: TcpBalancer, { isDraining }: RollingOptions): Promise<Replica> {
  const port = await freePort();
  const args = [`--admission-port=${port}`, "--log-level=warn", ...(isDraining ? [] : ["--drain-delay=0s"])];
  const process = await product.start("webhook", { args });
  const backend = { port, isReady: () => process.isReady() };
  balancer.add(backend);
  return { process, backend };
}

/** Stops the replica and removes it from the API at the same moment, like a pod. The balancer notices it later. */
async function stopReplica({ process, backend }: Replica, balancer: TcpBalancer): Promise<void> {
  balancer.remove(backend);
  const code = await process.stop(LONGEST_STOP_MS);
  if (code !== 0) throw new Error(`the replica ended with code ${code}`);
}

async function sendReviewsTo(plane: ControlPlane, port: number, timeoutSeconds: number): Promise<void> {
  const patch = JSON.stringify([
    { op: "replace", path: "/webhooks/0/clientConfig/service/port", value: port },
    { op: "replace", path: "/webhooks/0/timeoutSeconds", value: timeoutSeconds },
  ]);
  await plane.kubectl(["patch", "mutatingwebhookconfiguration", "keyvault-injector", "--type=json", `-p=${patch}`]);
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "probe", annotations: PROBE },
    spec: { containers: [{ name: "a", image: "a" }] },
  };
  const isReached = async (): Promise<boolean> =>
    (await plane.kubectl(["create", "--dry-run=server", "-o", "json", "-f", "-"], JSON.stringify(pod))).includes("csi.k8s.io");
  await eventually(isReached, { what: "an injected pod through the balancer" });
}

const PROBE = { "keyvault-injector.dev/inject": "true", "keyvault-injector.dev/secret-provider-class": "demo" };

async function currentAuthority(plane: ControlPlane): Promise<string | undefined> {
  return certificatesIn((await liveConfiguration(plane))?.bundle ?? "")[0]?.fingerprint256;
}

/** Returns one readable line. */
export function describeResult(title: string, result: RollingResult): string {
  const { injected, missed, denied, failed, seconds, restarts, p50, p99 } = result;
  const rate = ((injected + missed + denied + failed) / seconds).toFixed(1);
  return (
    `rolling restart, ${title}: ${injected} pods injected, ${missed} missed, ${denied} denied, ${failed} failed ` +
    `in ${seconds.toFixed(1)} s (${rate}/s), ${restarts} restarts, CA ${result.isNewAuthority ? "replaced" : "unchanged"}, ` +
    `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`
  );
}

/** Starts a throwaway cluster with the product. It needs no controllers. */
export async function installForLoad(): Promise<Product> {
  const plane = await startControlPlane({ controllerManager: false });
  const product = await installProduct(plane);
  await plane.kubectl(["create", "serviceaccount", "default"]);
  return product;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { seconds: { type: "string", default: "60" }, rate: { type: "string", default: "50" } } });
  const product = await installForLoad();
  try {
    const options = { seconds: Number(values.seconds), perSecond: Number(values.rate) };
    const drained = await runRollingRestart(product, { ...options, isDraining: true });
    console.log(describeResult("draining", drained));
    const control = await runRollingRestart(product, { perSecond: 2 * options.perSecond, seconds: 1, isDraining: false });
    console.log(describeResult("control without draining", control));
    for (const message of [...drained.messages, ...control.messages]) console.log(`  ${message}`);
    const isGood = drained.missed + drained.denied + drained.failed === 0 && drained.isNewAuthority;
    return isGood && control.missed + control.failed > 0 ? 0 : 1;
  } finally {
    await product.stop();
    await product.plane.stop();
  }
}

if (import.meta.main) process.exitCode = await main();
