import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { apiRequest } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { untilPolicyInjects } from "../support/cluster/injection-policy.ts";
import { assertNothingForbidden } from "../support/cluster/own-requests.ts";
import { installProduct, type Product } from "../support/cluster/product.ts";
import { aClass } from "../support/fixtures/pods.ts";
import { type Random, randomFrom } from "../support/fixtures/random.ts";
import { CLASSES, type InjectionMode, type Request, requestFor, withoutAdditions } from "./pod-schema/additions.ts";
import { EXCEPTIONS, exceptionOf, FEATURE_GATES, RUNTIME_CONFIG } from "./pod-schema/exceptions.ts";
import { generatePodSpec } from "./pod-schema/generate.ts";
import { type PodSchema, pathsIn, readPodSchema } from "./pod-schema/schema.ts";
import { type Json, listOf, objectOf } from "./pod-schema/type-rules.ts";
import { POD_GROUP, PRIORITY_CLASS, RUNTIME_CLASS, SERVICE_ACCOUNT } from "./pod-schema/values.ts";

const refusal = controlPlaneRefusal();
const PODS = 200;
const SEED = Number(process.env["KEYVAULT_INJECTOR_SEED"] ?? "20261124");
/** Number of fields that a pod should contain from those that no pod had so far. */
const WANTED_AT_ONCE = 40;
/** Metadata in which two stored pods differ that were sent equal, except for their names. */
const NORMALISED = ["name", "uid", "resourceVersion", "creationTimestamp", "managedFields"] as const;
/** Time in the condition of a new pod with scheduling gates. */
const TRANSITION = /"lastTransitionTime":"[^"]+"/g;
const TOKEN_VOLUME = /kube-api-access-[a-z0-9]{5}(?=")/g;

let plane: ControlPlane;
let product: Product;
let schema: PodSchema;

/** The two stored pods, with and without annotations, and the request. */
interface Pair {
  readonly annotated: Json;
  readonly twin: Json;
  readonly request: Request;
}

async function create(pod: Json, query = ""): Promise<{ readonly status: number; readonly body: Json }> {
  const { status, body } = await apiRequest(plane, { method: "POST", path: `/api/v1/namespaces/default/pods${query}`, body: pod });
  return { status, body: body as Json }; // A Pod or a Status.
}

async function stored(pod: Json): Promise<Json> {
  const { status, body } = await create(pod);
  assert.equal(status, 201, `${String(body["message"])}\n${JSON.stringify(pod)}`);
  return body;
}

function podOf(name: string, spec: Json, metadata: Json): Json {
  return { apiVersion: "v1", kind: "Pod", metadata: { ...structuredClone(metadata), name }, spec };
}

/** Returns labels and annotations of others, or none. */
function foreignMetadata(random: Random): Json {
  const labels = random.chance(0.5) ? { labels: { app: "web", "example.com/tier": "front" } } : {};
  return random.chance(0.5) ? { ...labels, annotations: { "example.com/note": 'späte "Grüße"\n{{x}} \\ /', a: "" } } : labels;
}

interface ToStore {
  readonly name: string;
  readonly spec: Json;
  readonly mode: InjectionMode;
}

async function storePair({ name, spec, mode }: ToStore, random: Random): Promise<Pair> {
  const metadata = foreignMetadata(random);
  const request = requestFor(spec, random, mode);
  const annotations = { ...objectOf(metadata, "annotations"), ...request.annotations };
  const twin = await stored(podOf(`${name}-twin`, spec, metadata));
  const annotated = await stored(podOf(name, spec, { ...metadata, annotations }));
  return { annotated, twin, request };
}

function normalised(pod: Json): Json {
  const copy = JSON.parse(
    JSON.stringify(pod).replaceAll(TOKEN_VOLUME, "kube-api-access").replaceAll(TRANSITION, '"lastTransitionTime":""'),
  );
  for (const field of NORMALISED) delete copy.metadata[field];
  return copy;
}

function assertOnlyAdditions({ annotated, twin, request }: Pair): void {
  assert.deepEqual(normalised(withoutAdditions(annotated, request)), normalised(twin));
}

/** Returns the pod with one random value of its spec changed. */
function alterOne(pod: Json, random: Random): Json {
  const copy = structuredClone(pod);
  const places: (() => void)[] = [];
  const collect = (owner: Json): void => {
    for (const [key, value] of Object.entries(owner)) {
      if (typeof value === "object" && value !== null)
        collect(value as Json); // A list has keys as well: its indexes.
      else places.push(() => void (owner[key] = typeof value === "boolean" ? !value : `${String(value)}x`));
    }
  };
  collect(objectOf(copy, "spec"));
  random.pick(places)();
  return copy;
}

async function createReferredTo(): Promise<void> {
  const { overhead, name: runtime } = RUNTIME_CLASS;
  const { name: priority, ...priorityFields } = PRIORITY_CLASS;
  const account = (name: string): Json => ({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name } });
  const items = [
    account("default"),
    account(SERVICE_ACCOUNT),
    { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name: priority }, ...priorityFields },
    { apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata: { name: runtime }, handler: "x", overhead: { podFixed: overhead } },
    {
      apiVersion: "scheduling.k8s.io/v1alpha2",
      kind: "PodGroup",
      metadata: { name: POD_GROUP, namespace: "default" },
      spec: { schedulingPolicy: { basic: {} } },
    },
    aClass({}, "principal" satisfies keyof typeof CLASSES),
    aClass({ clientID: "c" }, "workload" satisfies keyof typeof CLASSES),
  ];
  await plane.kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
}

/** Starts an API server with all objects that a pod can refer to, and installs the product. */
async function start(mode: InjectionMode): Promise<void> {
  const gates = FEATURE_GATES.map((gate) => `${gate}=true`).join(",");
  const groups = RUNTIME_CONFIG.map((group) => `${group}=true`).join(",");
  plane = await startControlPlane({ controllerManager: false, apiServerFlags: { "feature-gates": gates, "runtime-config": groups } });
  product = await installProduct(plane, { overlay: mode === "policy" ? "policy" : "default" });
  if (mode === "webhook") await product.start("webhook");
  await createReferredTo();
  if (mode === "policy") await untilPolicyInjects(plane);
  schema = readPodSchema((await apiRequest(plane, { method: "GET", path: "/openapi/v3/api/v1" })).body);
}

async function stop(): Promise<void> {
  await product?.stop();
  await plane?.stop();
}

/** Tests that each annotated pod is its twin plus the documented additions, and that the comparison notices a change. */
function testPairs(mode: InjectionMode): void {
  test(`${PODS} of them, every PodSpec field at least once: stored, an annotated pod is its twin plus the documented additions`, async (context) => {
    const random = randomFrom(SEED);
    const missing = new Set(schema.paths.filter((path) => exceptionOf(path) === undefined));
    const fields = missing.size;
    const seen = { volumes: 0, mounts: 0, own: 0, altered: 0 };
    for (let index = 0; index < PODS; index += 1) {
      const open = [...missing];
      const wanted = open.length === 0 ? [] : Array.from({ length: WANTED_AT_ONCE }, () => random.pick(open));
      const spec = generatePodSpec({ schema, random, wanted, isLeftOut: (path) => exceptionOf(path) !== undefined });
      const pair = await storePair({ name: `pod-${index}`, spec, mode }, random);

      assertOnlyAdditions(pair);
      const sent = pathsIn(schema, spec);
      for (const path of pathsIn(schema, pair.annotated["spec"])) if (sent.has(path)) missing.delete(path);
      assert.throws(() => assertOnlyAdditions({ ...pair, annotated: alterOne(pair.annotated, random) }), assert.AssertionError);
      seen.altered += 1;
      seen.own += pair.request.wanted.filter(({ isOwn }) => isOwn).length;
      seen.volumes += volumesOf(pair.annotated) - volumesOf(pair.twin);
      seen.mounts += mountsOf(pair.annotated) - mountsOf(pair.twin);
    }
    context.diagnostic(`seed ${SEED} (set KEYVAULT_INJECTOR_SEED for another)`);
    context.diagnostic(`PodSpec fields covered: ${fields - missing.size}/${fields}, of ${schema.paths.length} in the schema`);
    context.diagnostic(`${PODS} pairs; ${seen.volumes} volumes and ${seen.mounts} mounts added, ${seen.own} volumes of the pod's own kept`);
    context.diagnostic(`normalised: metadata.{${NORMALISED.join(", ")}}; lastTransitionTime; the random end of kube-api-access-*`);
    context.diagnostic(`control: ${seen.altered}/${PODS} pods with one changed value reported as different`);
    assert.deepEqual([...missing], [], "fields of the schema that no stored pod had: give them values, or list them as exceptions");
  });
}

describe("pods generated from the API server's own OpenAPI, injected by policy", { skip: refusal }, () => {
  before(() => start("policy"));
  after(stop);
  testPairs("policy");
});

describe("pods generated from the API server's own OpenAPI", { skip: refusal }, () => {
  before(() => start("webhook"));
  after(stop);
  testPairs("webhook");

  test("the listed exceptions are refused by the API server, each", async (context) => {
    const random = randomFrom(SEED);
    const refused: string[] = [];
    for (const [exception, reason] of Object.entries(EXCEPTIONS)) {
      assert.ok(schema.paths.includes(exception), `${exception} is a field of the schema`);
      const isLeftOut = (path: string): boolean => ![undefined, exception].includes(exceptionOf(path));
      const spec = generatePodSpec({ schema, random, wanted: [exception], isLeftOut });
      assert.ok(pathsIn(schema, spec).has(exception));
      const { status, body } = await create(podOf("refused", spec, {}), "?dryRun=All");
      assert.ok(status === 422 || status === 400, `${exception}: ${status} ${JSON.stringify(body).slice(0, 300)}`);
      assert.match(String(body["message"]), new RegExp(String(/\.(\w+)(\[\])?$/.exec(exception)?.[1]), "i"));
      refused.push(exception);
      context.diagnostic(`refused: ${exception}: ${reason}`);
    }
    const covered = schema.paths.filter((path) => exceptionOf(path) !== undefined).length;
    context.diagnostic(`${refused.length} exceptions, ${covered} fields in all`);
    assert.equal(refused.length, Object.keys(EXCEPTIONS).length);
  });

  test("no request of the webhook was answered 403", (context) => assertNothingForbidden(plane, context));
});

function volumesOf(pod: Json): number {
  return listOf(objectOf(pod, "spec"), "volumes").length;
}

function mountsOf(pod: Json): number {
  const spec = objectOf(pod, "spec");
  const containers = [...listOf(spec, "initContainers"), ...listOf(spec, "containers")];
  return containers.reduce((sum, container) => sum + listOf(container, "volumeMounts").length, 0);
}
