import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import jsonpatch from "fast-json-patch";
import { readRepositoryFile, VERSION } from "../../tools/repository-files.ts";
import { type ApiAnswer, apiRequest } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { aNamespace } from "../support/cluster/namespace.ts";
import { installProduct, type Product } from "../support/cluster/product.ts";
import { at } from "../support/cluster/shipped-manifests.ts";
import { tablesOf } from "../support/docs/reference-page.ts";
import { decidePod } from "../support/webhook/decide-pod.ts";
import { anyPod, MORE_NAMESPACES } from "./injection-modes/pods.ts";
import { CLASSES, comparable, type RandomPod, withAnnotations } from "./random-pods.ts";

const refusal = controlPlaneRefusal();
/** Number of pods in a run of the suite. The documented comparison uses 4,000. */
const PODS = Number(process.env["KEYVAULT_INJECTOR_PODS"] ?? "400");
const SEED = Number(process.env["KEYVAULT_INJECTOR_SEED"] ?? "20261130");
const AT_ONCE = 8;

const OPTED_IN = { "keyvault-injector.dev/inject": "true", "keyvault-injector.dev/secret-provider-class": "principal" };

type Json = Readonly<Record<string, unknown>>;

interface Mode {
  readonly plane: ControlPlane;
  readonly product: Product;
}

let webhook: Mode;
let policy: Mode;

async function installed(overlay: string): Promise<Mode> {
  const plane = await startControlPlane({ controllerManager: false });
  const product = await installProduct(plane, { overlay });
  for (const [name, annotations] of Object.entries(MORE_NAMESPACES)) {
    await aNamespace(plane, name);
    for (const [key, value] of Object.entries(annotations)) await plane.kubectl(["annotate", "namespace", name, `${key}=${value}`]);
    const items = CLASSES.map((each) => ({ ...each, metadata: { ...each.metadata, namespace: name } }));
    await plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  }
  return { plane, product };
}

function create({ plane }: Mode, namespace: string, pod: Json): Promise<ApiAnswer> {
  return apiRequest(plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`, body: pod });
}

function isEqual(one: unknown, other: unknown): boolean {
  try {
    assert.deepEqual(one, other);
    return true;
  } catch {
    return false;
  }
}

/** Rows of docs/reference/injection-modes.md. */
const ROWS = ["class", "volume-name", "window"] as const;
type Row = (typeof ROWS)[number];

const UNKNOWN = { kind: "unknown" } as const;

/** Returns the decision of the webhook if it could read no class. */
function withoutClasses(twin: Json, { namespace, annotations }: RandomPod) {
  const sent = withAnnotations(twin, annotations);
  const defaults = { kind: "found", annotations: MORE_NAMESPACES[namespace] ?? {} } as const;
  const facts = Object.fromEntries(CLASSES.map(({ metadata }) => [metadata.name, UNKNOWN] as const));
  const decision = decidePod(sent, { facts, namespace: defaults, name: namespace, version: VERSION });
  const pod =
    decision.kind === "patched"
      ? jsonpatch.applyPatch(structuredClone(sent), structuredClone([...decision.patch]), true).newDocument
      : sent;
  return { decision, pod };
}

/** Replaces the names of our driver's volumes with the names of their classes. */
function withoutVolumeNames(pod: Json): unknown {
  const volumes = Object(at(pod, "spec")).volumes as readonly { readonly name: string; readonly csi?: Json }[] | undefined;
  let text = JSON.stringify(pod);
  for (const { name, csi } of volumes ?? []) {
    const named = at(csi, "volumeAttributes", "secretProviderClass");
    if (typeof named === "string") text = text.replaceAll(`"${name}"`, `"of ${named}"`).replaceAll(`\\"${name}\\"`, `\\"of ${named}\\"`);
  }
  return JSON.parse(text);
}

function explain(answers: Answers, random: RandomPod): Row | undefined {
  const { decision, pod } = withoutClasses(Object(answers.twin.body), random);
  const isAdmitted = answers.policy.status === 201;
  const stored = isAdmitted ? comparable(answers.policy.body) : {};
  if (decision.kind === "denied") {
    if (!isAdmitted) return "class";
    return decision.message.includes("restart-window") ? "window" : undefined;
  }
  if (!isAdmitted) return undefined;
  if (isEqual(stored, comparable(pod))) return "class";
  return isEqual(withoutVolumeNames(stored), withoutVolumeNames(comparable(pod))) ? "volume-name" : undefined;
}

interface Answers {
  readonly twin: ApiAnswer;
  readonly webhook: ApiAnswer;
  readonly policy: ApiAnswer;
}

type Verdict = "unfit" | "injected" | "denied" | "denied in other words" | "left" | Row | "unexplained";

async function compare(random: RandomPod): Promise<{ readonly verdict: Verdict; readonly shown: string }> {
  const twin = await create(policy, random.namespace, random.pod);
  if (twin.status !== 201) return { verdict: "unfit", shown: "" };
  const pod = withAnnotations(random.pod, random.annotations);
  const [byWebhook, byPolicy] = await Promise.all([create(webhook, random.namespace, pod), create(policy, random.namespace, pod)]);
  const answers = { twin, webhook: byWebhook, policy: byPolicy };
  return {
    verdict: verdictOn(answers, random),
    shown: JSON.stringify({ random, byWebhook: wordsOf(byWebhook), byPolicy: wordsOf(byPolicy) }),
  };
}

function verdictOn(answers: Answers, random: RandomPod): Verdict {
  const { webhook: byWebhook, policy: byPolicy, twin } = answers;
  if (byWebhook.status === 201 && byPolicy.status === 201 && isEqual(comparable(byWebhook.body), comparable(byPolicy.body))) {
    const plain = comparable(withAnnotations(Object(twin.body), random.annotations));
    return isEqual(comparable(byPolicy.body), plain) ? "left" : "injected";
  }
  if (byWebhook.status === 422 && byPolicy.status === 422) {
    const [said, other] = [byWebhook, byPolicy].map((answer) => wordsOf(answer));
    return said === other ? "denied" : "denied in other words";
  }
  return explain(answers, random) ?? "unexplained";
}

/** Returns the message for the pod's author, without the name of its sender. */
function wordsOf({ status, body }: ApiAnswer): string {
  if (status === 201) return "admitted";
  const message = String(at(body, "message"));
  return message.replace(/^.* denied the request: |^.*denied request: /, "");
}

describe("pods through both modes", { skip: refusal }, () => {
  before(async () => {
    [webhook, policy] = await Promise.all([installed("default"), installed("policy")]);
    await webhook.product.start("webhook");
  });

  after(async () => {
    for (const mode of [webhook, policy]) {
      await mode?.product.stop();
      await mode?.plane.stop();
    }
  });

  test(`${PODS} of them: equal, or differing as the reference says`, async (context) => {
    const counts = new Map<Verdict, number>();
    const unexplained: string[] = [];
    const sum = (...verdicts: readonly Verdict[]): number => verdicts.reduce((total, verdict) => total + (counts.get(verdict) ?? 0), 0);
    const pods = fc.sample(anyPod, { numRuns: PODS * 2, seed: SEED });
    // Pods that the API server rejects without us do not count.
    for (let start = 0; start - sum("unfit") < PODS && start < pods.length; start += AT_ONCE) {
      for (const { verdict, shown } of await Promise.all(pods.slice(start, start + AT_ONCE).map(compare))) {
        counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
        if (verdict === "unexplained") unexplained.push(shown);
      }
    }
    const listed = sum(...ROWS);
    const equal = sum("injected", "denied", "denied in other words", "left");
    context.diagnostic(
      `injection modes: ${equal + listed + unexplained.length} pods, ${equal} equal, ${listed} listed differences, ${unexplained.length} unexplained`,
    );
    context.diagnostic([...counts].map(([verdict, count]) => `${verdict} ${count}`).join(", "));
    context.diagnostic(`seed ${SEED} (set KEYVAULT_INJECTOR_SEED for another)`);

    assert.deepEqual(unexplained.slice(0, 5), []);
    for (const verdict of ["injected", "denied", "class", "volume-name"] as const)
      assert.ok(sum(verdict) >= PODS / 200, `too few pods are ${verdict}`);
  });

  test("a pod of which one mode adds something else is found", () => {
    const volumes = [{ name: "v", csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "principal" } } }];
    const pod = { metadata: { labels: {}, annotations: {} }, spec: { containers: [{ name: "app", volumeMounts: [] }], volumes } };
    const mounted = { ...pod, spec: { ...pod.spec, containers: [{ name: "app", volumeMounts: [{ name: "v", mountPath: "/mnt" }] }] } };
    const answer = (body: Json): ApiAnswer => ({ status: 201, warnings: [], body });
    const answers = { twin: answer(pod), webhook: answer(mounted), policy: answer(pod) };
    const random: RandomPod = {
      namespace: "plain",
      pod,
      annotations: OPTED_IN,
    };

    assert.equal(verdictOn(answers, random), "unexplained");
    assert.equal(verdictOn({ ...answers, policy: { status: 422, warnings: [], body: { message: "no" } } }, random), "unexplained");
  });

  test("the reference has a row for each difference, and no more than eight", () => {
    const rows = tablesOf(readRepositoryFile("docs/reference/injection-modes.md"), "Difference").flatMap((table) => table.rows);
    const names = rows.map(([name = ""]) => name);

    for (const row of ROWS) assert.ok(names.includes(row), row);
    assert.ok(names.length <= 8, String(names.length));
  });
});
