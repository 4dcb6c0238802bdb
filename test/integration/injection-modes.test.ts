import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import jsonpatch from "fast-json-patch";
import type { InstallReport } from "../../src/cli/doctor/report.ts";
import { readRepositoryFile, VERSION } from "../../tools/repository-files.ts";
import { runOnline } from "../support/cli/cli.ts";
import { type ApiAnswer, apiRequest } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { aNamespace } from "../support/cluster/namespace.ts";
import { installProduct, type Product } from "../support/cluster/product.ts";
import { at, listAt } from "../support/cluster/shipped-manifests.ts";
import { tablesOf } from "../support/docs/reference-page.ts";
import { decidePod } from "../support/webhook/decide-pod.ts";
import { anyPod, MORE_NAMESPACES } from "./injection-modes/pods.ts";
import { CLASSES, comparable, type RandomPod, withAnnotations } from "./random-pods.ts";

const refusal = controlPlaneRefusal();
/** Of each run of the suite; the comparison of record is of 4,000. */
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

interface LargePod {
  readonly containers: number;
  readonly classes: number;
  readonly mounts: number;
}

const LARGE: readonly LargePod[] = [
  { containers: 40, classes: 16, mounts: 10 },
  { containers: 100, classes: 3, mounts: 10 },
  { containers: 500, classes: 1, mounts: 3 },
  { containers: 1_900, classes: 1, mounts: 0 },
  { containers: 200, classes: 8, mounts: 20 },
  { containers: 1_500, classes: 1, mounts: 5 },
  { containers: 5_000, classes: 1, mounts: 0 },
];

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

/** Rows of docs/reference/injection-modes.md. */
type Row = "class" | "volume-name" | "window";

const UNKNOWN = { kind: "unknown" } as const;

/** What the webhook would do if it could read no class. */
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

/** Volumes of our driver by their class instead of by their name. */
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

/** What the author of the pod is told, without who tells it. */
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
    // Those that the API server does not take as they are tell nothing.
    for (let start = 0; start - sum("unfit") < PODS && start < pods.length; start += AT_ONCE) {
      for (const { verdict, shown } of await Promise.all(pods.slice(start, start + AT_ONCE).map(compare))) {
        counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
        if (verdict === "unexplained") unexplained.push(shown);
      }
    }
    const listed = sum("class", "volume-name", "window");
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

  test("a pod that is too large for the policy is refused with what to do, and none passes uninjected", async (context) => {
    const large = ({ containers, classes, mounts }: LargePod): Json => {
      const volumeMounts = range(mounts).map((index) => ({ name: `v${index}`, mountPath: `/data/of/the/team/${index}` }));
      const annotations = {
        ...OPTED_IN,
        "keyvault-injector.dev/secret-provider-class": range(classes)
          .map((index) => `class-${index}`)
          .join(","),
      };
      return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "large", annotations },
        spec: {
          volumes: range(mounts).map((index) => ({ name: `v${index}`, emptyDir: {} })),
          containers: range(containers).map((index) => ({ name: `c${index}`, image: "i", volumeMounts })),
        },
      };
    };
    const told: string[] = [];
    for (const size of LARGE) {
      const { status, body } = await create(policy, "plain", large(size));
      const shown = `${size.containers} containers, ${size.classes} classes, ${size.mounts} mounts of each container`;
      told.push(`${shown}: ${status === 201 ? "injected" : "refused"}`);
      if (status === 201)
        assert.equal(listAt(body, "spec", "volumes").filter((volume) => at(volume, "csi") !== undefined).length, size.classes);
      else assert.match(String(at(body, "message")), /name fewer containers with annotation keyvault-injector\.dev\/containers/, shown);
    }
    for (const line of told) context.diagnostic(line);
    for (const end of ["injected", "refused"])
      assert.ok(
        told.some((line) => line.endsWith(end)),
        `none is ${end}`,
      );
  });

  test("the worker makes nothing of the webhook's where there is none", async () => {
    const as = "system:serviceaccount:keyvault-injector:keyvault-injector-sync";
    const metadata = { name: "keyvault-injector-webhook", namespace: "keyvault-injector" };
    const labels = { app: "evil" };
    const spec = {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "x", image: "evil" }] } },
    };
    const body = { apiVersion: "apps/v1", kind: "Deployment", metadata, spec };
    const answer = await apiRequest(policy.plane, {
      method: "PATCH",
      path: "/apis/apps/v1/namespaces/keyvault-injector/deployments/keyvault-injector-webhook?fieldManager=keyvault-injector&dryRun=All",
      contentType: "application/apply-patch+yaml",
      body,
      as,
    });

    assert.match(String(at(answer.body, "message")), /the sync worker makes nothing of the webhook's where policies inject/);
  });

  test("doctor and explain know the mode, and miss no webhook where policies inject", async () => {
    const { output } = await runOnline(["doctor", "-o", "json", "--no-vaults", "-n", "plain"], policy.plane.kubeconfigPath);
    const { findings } = JSON.parse(output) as InstallReport;
    const statesOf = (...checks: readonly string[]) =>
      Object.fromEntries(
        checks.map((name) => [name, [...new Set(findings.filter(({ check }) => check === name).map(({ state }) => state))]]),
      );
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "asked", annotations: OPTED_IN },
      spec: { containers: [{ name: "app", image: "i" }] },
    };
    await policy.plane.kubectl(["create", "-n", "plain", "-f", "-"], JSON.stringify(pod));
    const asked = await runOnline(["explain", "pod/asked", "-n", "plain"], policy.plane.kubeconfigPath);

    assert.deepEqual(
      statesOf("webhook", "injection", "policies", "namespaces", "preflight", "certificates", "authority"),
      {
        webhook: ["OK"],
        injection: ["OK"],
        policies: ["OK"],
        namespaces: ["WARN", "OK"],
        preflight: ["SKIP"],
        certificates: ["SKIP"],
        authority: ["SKIP"],
      },
      JSON.stringify(findings, null, 1),
    );
    assert.ok(!findings.some(({ message }) => message.includes("keyvault-injector-webhook")), JSON.stringify(findings, null, 1));
    assert.match(asked.output, /the policy keyvault-injector-injection injects/);
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
    const rows = tablesOf(readRepositoryFile("docs/reference/injection-modes.md"), "What differs").flatMap((table) => table.rows);
    assert.ok(rows.length >= 3 && rows.length <= 8, String(rows.length));
  });
});
