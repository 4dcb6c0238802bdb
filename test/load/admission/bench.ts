/**
 * `npm run bench:admission`: measures the cost of a pod's creation through the API server: without injection, with the policy and with the
 * webhook. Each has its own API server, and they take turns in one run. Prints milliseconds, CPU and ratios. Fails if a target is missed.
 *
 *   npm run bench:admission -- [--pods 400] [--rounds 5]
 */
import { parseArgs } from "node:util";
import { type ControlPlane, startControlPlane } from "../../support/cluster/control-plane.ts";
import { untilPolicyInjects } from "../../support/cluster/injection-policy.ts";
import { installProduct, type Product } from "../../support/cluster/product.ts";
import { aClass, aPod } from "../../support/fixtures/pods.ts";
import { cpuNanoseconds } from "../process-usage.ts";
import { median } from "../webhook/load.ts";
import { listenerOf } from "./listener.ts";
import { createPods } from "./pods.ts";
import { type Figures, print } from "./report.ts";

const CONCURRENCIES = [1, 50, 200, 500] as const;
const WARM_UP = 200;

/** All annotations that a pod can have. */
const EVERYTHING = {
  inject: "true",
  "secret-provider-class": "one,two",
  "credentials-secret": "one=creds,two=none",
  "mount-path": "one=/kv/one,two=/kv/two",
  "volume-name": "kv",
  containers: "-log",
  "env-from": "settings",
  "restart-on-rotation": "true",
  "restart-window": "0 22 * * MON-FRI for 4h in Europe/Berlin",
};

const CONTAINERS = {
  containers: [
    { name: "app", image: "image:1", volumeMounts: [{ name: "data", mountPath: "/data" }] },
    { name: "log", image: "image:1" },
  ],
  volumes: [{ name: "data", emptyDir: {} }],
};

interface Cluster {
  readonly plane: ControlPlane;
  readonly apiServer: number;
  readonly product: Product | undefined;
  readonly webhook: number | undefined;
}

async function cluster(overlay: string | undefined): Promise<Cluster> {
  const plane = await startControlPlane({ controllerManager: false });
  await plane.kubectl(["create", "serviceaccount", "default"]);
  const apiServer = listenerOf(Number(new URL(plane.server).port));
  if (overlay === undefined) return { plane, apiServer, product: undefined, webhook: undefined };
  const product = await installProduct(plane, { overlay });
  const items = ["one", "two"].map((name) => ({ ...aClass({}, name), metadata: { name, namespace: "default" } }));
  await plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const webhook = overlay === "default" ? (await product.start("webhook")).pid : undefined;
  if (webhook === undefined) await untilPolicyInjects(plane);
  return { plane, apiServer, product, webhook };
}

interface Contestant {
  readonly name: string;
  readonly cluster: Cluster;
  readonly pod: Readonly<Record<string, unknown>>;
  /** Number of our volumes in a created pod. */
  readonly injected: number;
}

const PLAIN = { ...aPod({}, CONTAINERS) };
const ASKING = { ...aPod(EVERYTHING, CONTAINERS) };

async function contestants(): Promise<readonly Contestant[]> {
  const bare = await cluster(undefined);
  const policy = await cluster("policy");
  const webhook = await cluster("default");
  return [
    { name: "plain", cluster: bare, pod: PLAIN, injected: 0 },
    { name: "plain again", cluster: bare, pod: PLAIN, injected: 0 },
    { name: "policy, plain pod", cluster: policy, pod: PLAIN, injected: 0 },
    { name: "webhook, plain pod", cluster: webhook, pod: PLAIN, injected: 0 },
    { name: "policy", cluster: policy, pod: ASKING, injected: 2 },
    { name: "webhook", cluster: webhook, pod: ASKING, injected: 2 },
  ];
}

async function measure({ cluster: { plane, apiServer, webhook }, pod, injected }: Contestant, concurrency: number, count: number) {
  const before = [cpuNanoseconds(apiServer), webhook === undefined ? 0 : cpuNanoseconds(webhook)];
  const { times, refused } = await createPods(plane, { pod, injected, count, concurrency });
  const after = [cpuNanoseconds(apiServer), webhook === undefined ? 0 : cpuNanoseconds(webhook)];
  const [api = 0, ours = 0] = after.map((value, index) => (value - (before[index] ?? 0)) / count / 1e6);
  return { times, refused, api, ours };
}

/** The contestants take turns, so that other load on the machine affects all of them. */
async function figuresAt(
  concurrency: number,
  entrants: readonly Contestant[],
  { pods, rounds }: { readonly pods: number; readonly rounds: number },
): Promise<readonly Figures[]> {
  const measured = new Map<Contestant, Awaited<ReturnType<typeof measure>>[]>(entrants.map((each) => [each, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const each of round % 2 === 0 ? entrants : entrants.toReversed()) measured.get(each)?.push(await measure(each, concurrency, pods));
  }
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return [...measured].map(([{ name }, each]) => ({
    name,
    concurrency,
    times: each.flatMap(({ times }) => times),
    rounds: each.map(({ times }) => median(times)),
    api: mean(each.map(({ api }) => api)),
    ours: mean(each.map(({ ours }) => ours)),
    refused: each.reduce((sum, { refused }) => sum + refused, 0),
  }));
}

async function run(size: { readonly pods: number; readonly rounds: number }): Promise<boolean> {
  const entrants = await contestants();
  try {
    for (const each of entrants) await measure(each, 8, WARM_UP);
    const figures: Figures[] = [];
    for (const concurrency of CONCURRENCIES) figures.push(...(await figuresAt(concurrency, entrants, size)));
    return print(figures);
  } finally {
    for (const { plane, product } of new Set(entrants.map((each) => each.cluster))) {
      await product?.stop();
      await plane.stop();
    }
  }
}

const { values } = parseArgs({ options: { pods: { type: "string", default: "400" }, rounds: { type: "string", default: "5" } } });
if (!(await run({ pods: Number(values.pods), rounds: Number(values.rounds) }))) process.exitCode = 1;
