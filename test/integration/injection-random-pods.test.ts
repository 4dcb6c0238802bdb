import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import jsonpatch from "fast-json-patch";
import { readRepositoryFile, VERSION } from "../../tools/repository-files.ts";
import { type ApiAnswer, apiRequest } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { aNamespace } from "../support/cluster/namespace.ts";
import { assertNothingForbidden } from "../support/cluster/own-requests.ts";
import { installProduct, type Product } from "../support/cluster/product.ts";
import { at } from "../support/cluster/shipped-manifests.ts";
import { codeSpans } from "../support/docs/markdown.ts";
import { tablesOf } from "../support/docs/reference-page.ts";
import { decidePod } from "../support/webhook/decide-pod.ts";
import { CLASSES, comparable, NAMESPACES, type RandomPod, randomPod, withAnnotations } from "./random-pods.ts";

const refusal = controlPlaneRefusal();
const PODS = Number(process.env["KEYVAULT_INJECTOR_PODS"] ?? "2000");
const SEED = Number(process.env["KEYVAULT_INJECTOR_SEED"] ?? "20261124");
const AT_ONCE = 8;

let plane: ControlPlane;
let product: Product;

type Json = Readonly<Record<string, unknown>>;

type Outcome =
  | { readonly kind: "admitted"; readonly reason: string }
  | { readonly kind: "denied"; readonly reason: string }
  /** By the API server, without our webhook having said a word against the pod. */
  | { readonly kind: "refused"; readonly message: string };

function create(namespace: string, pod: Json, query = ""): Promise<ApiAnswer> {
  return apiRequest(plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/pods${query}`, body: pod });
}

const MISSING = { kind: "missing" } as const;
const FOUND = Object.fromEntries(CLASSES.map((found) => [found.metadata.name, { kind: "found", class: found }] as const));

/** What the plan makes of the pod as the API server has it without us. */
function planned(twin: Json, { namespace, annotations }: RandomPod) {
  const sent = withAnnotations(twin, annotations);
  const defaults = { kind: "found", annotations: NAMESPACES[namespace] ?? {} } as const;
  const asked = (annotations["keyvault-injector.dev/secret-provider-class"] ?? "").split(",").map((name) => name.trim());
  const facts = { ...Object.fromEntries(asked.map((name) => [name, MISSING])), ...FOUND };
  const decision = decidePod(sent, { facts, namespace: defaults, name: namespace, version: VERSION, isCallerTrusted: false });
  const pod =
    decision.kind === "patched"
      ? jsonpatch.applyPatch(structuredClone(sent), structuredClone([...decision.patch]), true).newDocument
      : sent;
  return { decision, pod };
}

const reasonsOfPage = tablesOf(readRepositoryFile("docs/reference/reasons.md"), "Outcome")
  .flatMap(({ rows }) => rows)
  .filter(([outcome]) => outcome === "`denied`")
  .map(([, reason = ""]) => codeSpans(reason)[0] ?? "");

const messagesOfPage = tablesOf(readRepositoryFile("docs/reference/annotations.md"), "Reason")
  .flatMap(({ rows }) => rows)
  .map(([reason = "", message = ""]) => ({ reason: codeSpans(reason)[0] ?? "", pattern: patternOf(codeSpans(message)[0] ?? "") }));

function patternOf(template: string): RegExp {
  const literal = template.split(/\{\w+\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${literal.join("[^]*")}$`);
}

const DENIED = 'admission webhook "pods.keyvault-injector.dev" denied the request: ';

function outcomeOf({ status, body }: ApiAnswer, reason: string): Outcome {
  if (status === 201) return { kind: "admitted", reason };
  const message = String(at(body, "message"));
  if (!message.startsWith(DENIED)) return { kind: "refused", message };
  return { kind: "denied", reason: String(at(body, "reason")) };
}

function assertDocumented(answer: ApiAnswer): void {
  const [reason, message] = [String(at(answer.body, "reason")), String(at(answer.body, "message")).slice(DENIED.length)];
  assert.equal(answer.status, 422);
  assert.ok(reasonsOfPage.includes(reason), reason);
  assert.ok(
    messagesOfPage.some((row) => row.reason === reason && row.pattern.test(message)),
    `${reason}: ${message}`,
  );
}

/** As they were before they became a header: escaped, and in bytes that Node takes for Latin-1. */
function plain(warnings: readonly string[]): readonly string[] {
  return warnings.map((text) => Buffer.from(text.replaceAll(/\\(.)/g, "$1"), "latin1").toString("utf8"));
}

/** Undefined where the API server does not take the pod as it is, so that nothing could be learnt from it. */
async function tryPod(random: RandomPod): Promise<Outcome | undefined> {
  const twin = await create(random.namespace, random.pod, "?dryRun=All");
  if (twin.status !== 201) return undefined;
  const { decision, pod } = planned(Object(twin.body), random);
  const answer = await create(random.namespace, withAnnotations(random.pod, random.annotations));
  const outcome = outcomeOf(answer, decision.reason);
  if (outcome.kind === "refused") return outcome;
  const shown = JSON.stringify(random);
  if (decision.kind === "denied") {
    assert.equal(at(answer.body, "message"), `${DENIED}${decision.message}`, shown);
    assertDocumented(answer);
  } else {
    assert.equal(answer.status, 201, `${shown}\n${JSON.stringify(answer.body)}`);
    assert.deepEqual(comparable(answer.body), comparable(pod), shown);
  }
  const reported = decision.kind === "errored" ? [] : decision.warnings;
  assert.deepEqual(
    plain(answer.warnings)
      .filter((text) => !plain(twin.warnings).includes(text))
      .sort(),
    [...new Set(reported)].sort(),
    shown,
  );
  for (const text of reported) assert.ok(text.length <= 120, text);
  return outcome;
}

describe("random pods with random annotations, in namespaces with defaults", { skip: refusal }, () => {
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    product = await installProduct(plane);
    await product.start("webhook");
    for (const [name, annotations] of Object.entries(NAMESPACES)) {
      await aNamespace(plane, name);
      for (const [key, value] of Object.entries(annotations)) await plane.kubectl(["annotate", "namespace", name, `${key}=${value}`]);
      const items = CLASSES.map((each) => ({ ...each, metadata: { ...each.metadata, namespace: name } }));
      await plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    }
  });

  after(async () => {
    await product?.stop();
    await plane?.stop();
  });

  test(`${PODS} of them: each is admitted as planned, or denied with a documented reason`, async (context) => {
    const counts = new Map<string, number>();
    const refused: string[] = [];
    const pods = fc.sample(randomPod, { numRuns: Math.ceil(PODS * 1.3), seed: SEED });
    let tried = 0;
    let unfit = 0;
    for (let start = 0; start < pods.length && tried < PODS; start += AT_ONCE) {
      const batch = pods.slice(start, start + Math.min(AT_ONCE, PODS - tried));
      for (const outcome of await Promise.all(batch.map(tryPod))) {
        if (outcome === undefined) {
          unfit += 1;
          continue;
        }
        tried += 1;
        if (outcome.kind === "refused") refused.push(outcome.message);
        else counts.set(`${outcome.kind} ${outcome.reason}`, (counts.get(`${outcome.kind} ${outcome.reason}`) ?? 0) + 1);
      }
    }
    const sum = (kind: string): number =>
      [...counts].filter(([key]) => key.startsWith(kind)).reduce((total, [, count]) => total + count, 0);
    const [admitted, denied] = [sum("admitted"), sum("denied")];
    context.diagnostic(
      `${tried} pods: ${admitted} admitted as planned, ${denied} denied with a documented reason, ${refused.length} refused because of our patch`,
    );
    context.diagnostic(
      [...counts]
        .map(([key, count]) => `${key} ${count}`)
        .sort()
        .join(", "),
    );
    context.diagnostic(
      `${unfit} more that the API server does not take as they are; seed ${SEED} (set KEYVAULT_INJECTOR_SEED for another)`,
    );

    assert.deepEqual(refused, []);
    assert.equal(tried, PODS);
    assert.equal(admitted + denied, PODS);
    for (const reason of ["InvalidAnnotation", "ContainerNotFound", "VolumeNameTaken", "MountPathTaken", "EnvTaken"]) {
      assert.ok((counts.get(`denied ${reason}`) ?? 0) >= 5, `too few pods were denied with ${reason}`);
    }
    assert.ok((counts.get("admitted Injected") ?? 0) >= PODS / 4);
  });

  test("a pod that differs from its plan, a message that is in no table, and a refusal by the API server would be noticed", async () => {
    const random: RandomPod = {
      namespace: "plain",
      pod: { apiVersion: "v1", kind: "Pod", metadata: { name: "control" }, spec: { containers: [{ name: "app", image: "image:1" }] } },
      annotations: { "keyvault-injector.dev/inject": "true", "keyvault-injector.dev/secret-provider-class": "principal" },
    };
    const twin = await create("plain", random.pod, "?dryRun=All");
    const stored = await create("plain", withAnnotations(random.pod, random.annotations));
    const other = planned(Object(twin.body), {
      ...random,
      annotations: { ...random.annotations, "keyvault-injector.dev/mount-path": "/x" },
    });
    const invalid = await create("plain", { ...random.pod, spec: { containers: [] } });

    assert.deepEqual(comparable(stored.body), comparable(planned(Object(twin.body), random).pod));
    assert.notDeepEqual(comparable(stored.body), comparable(other.pod));
    assert.equal(outcomeOf(invalid, "").kind, "refused");
    assert.throws(() => assertDocumented({ status: 422, warnings: [], body: { reason: "ClassRequired", message: `${DENIED}what?` } }));
  });

  test("no request of the webhook was answered 403", (context) => assertNothingForbidden(plane, context));
});
