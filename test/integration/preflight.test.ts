import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { kubectlOutput } from "../support/cli/kubectl-output.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertNothingForbidden } from "../support/cluster/own-requests.ts";
import { installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { aClass, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { ROLLOUT_CRD } from "../support/fixtures/rollout-crd.ts";
import { eventually } from "../support/time/eventually.ts";

const refusal = controlPlaneRefusal();

type Json = Readonly<Record<string, unknown>>;

const GOOD_PARAMETERS = {
  keyvaultName: "demo",
  tenantId: "00000000-0000-0000-0000-000000000001",
  objects: "array:\n  - |\n    objectName: DemoSecret\n    objectType: secret\n",
} as const;

let plane: ControlPlane;
let product: Product;
let webhook: ProductProcess;
let serial = 0;

function template(annotations: Readonly<Record<string, string>>, spec: Json = {}): Json {
  return {
    metadata: { labels: { app: "web" }, annotations: prefixed(annotations) },
    spec: { containers: [{ name: "app", image: "app:1" }], ...spec },
  };
}

const selector = { matchLabels: { app: "web" } };

/** One workload of each kind, around the same template. */
const KINDS: Readonly<Record<string, (pod: Json) => Json>> = {
  Deployment: (pod) => ({ apiVersion: "apps/v1", spec: { replicas: 0, selector, template: pod } }),
  StatefulSet: (pod) => ({ apiVersion: "apps/v1", spec: { replicas: 0, selector, serviceName: "web", template: pod } }),
  DaemonSet: (pod) => ({ apiVersion: "apps/v1", spec: { selector, template: pod } }),
  ReplicaSet: (pod) => ({ apiVersion: "apps/v1", spec: { replicas: 0, selector, template: pod } }),
  Job: (pod) => ({ apiVersion: "batch/v1", spec: { suspend: true, template: restartNever(pod) } }),
  CronJob: (pod) => ({
    apiVersion: "batch/v1",
    spec: { schedule: "0 0 1 1 *", suspend: true, jobTemplate: { spec: { template: restartNever(pod) } } },
  }),
  Rollout: (pod) => ({ apiVersion: "argoproj.io/v1alpha1", spec: { replicas: 0, selector, template: pod } }),
};

function restartNever(pod: Json): Json {
  return { ...pod, spec: { ...(pod["spec"] as object), restartPolicy: "Never" } }; // The template above has a spec.
}

function workload(kind: string, pod: Json, name = `web-${++serial}`): Json {
  return { kind, metadata: { name, namespace: "default" }, ...KINDS[kind]?.(pod) };
}

/** Returns the warnings that `kubectl apply` prints, in order. */
async function applied(object: unknown, ...flags: readonly string[]): Promise<readonly string[]> {
  const { code, stderr } = await kubectlOutput(plane, ["apply", ...flags, "-f", "-"], JSON.stringify(object));
  assert.equal(code, 0, stderr);
  return warningsIn(stderr);
}

function warningsIn(stderr: string): readonly string[] {
  return stderr
    .split("\n")
    .filter((line) => line.startsWith("Warning: "))
    .map((line) => line.slice("Warning: ".length));
}

describe("preflight warnings, as kubectl apply prints them", { skip: refusal }, () => {
  before(async () => {
    plane = await startControlPlane();
    product = await installProduct(plane);
    webhook = await product.start("webhook");
    await plane.kubectl(["create", "-f", "-"], JSON.stringify(ROLLOUT_CRD));
    await plane.kubectl(["wait", "--for=condition=Established", "crd/rollouts.argoproj.io", "--timeout=30s"]);
    await applied({ ...aClass(), spec: { provider: "azure", parameters: { ...GOOD_PARAMETERS } } });
    // Both webhook entries have the bundle as soon as one warning arrives.
    await eventually(async () => (await applied(workload("Deployment", template({ inject: "ture" })))).length > 0, {
      what: "the first preflight warning",
    });
  });
  after(async () => {
    await product?.stop();
    await plane?.stop();
  });

  for (const kind of Object.keys(KINDS)) {
    test(`a ${kind} whose pods would be denied is stored, and its author is told why in the pod webhook's words`, async () => {
      const wrong = workload(kind, template({ ...OPTED_IN, containers: "sidecar" }));

      assert.deepEqual(await applied(wrong), [
        'annotation keyvault-injector.dev/containers names container "sidecar", but the pod has app: write one of these; a',
        '… container that another webhook adds later can only be excluded, as "-name"',
        "every pod of this template will be denied: ContainerNotFound",
      ]);
      assert.deepEqual(await applied(workload(kind, template(OPTED_IN))), []);
    });
  }

  test("SW5: a Rollout without a template, which uses the one of a Deployment, is stored without a word", async () => {
    const metadata = { name: "by-reference", namespace: "default", annotations: { "keyvault-injector.dev/restart-window": "always" } };
    const byReference = { apiVersion: "argoproj.io/v1alpha1", kind: "Rollout", metadata, spec: { replicas: 0 } };

    assert.deepEqual(await applied(byReference), []);
    assert.deepEqual(await applied({ ...byReference, spec: { replicas: 1 } }), []);
  });

  test("the words are those that the pod itself is denied with", async () => {
    const pod: Json = { apiVersion: "v1", kind: "Pod", ...template({ ...OPTED_IN, containers: "sidecar" }) };
    const metadata = { ...(pod["metadata"] as object), name: "denied", namespace: "default" }; // The template above has metadata.
    const { stderr } = await kubectlOutput(plane, ["create", "-f", "-"], JSON.stringify({ ...pod, metadata }));

    assert.match(
      stderr,
      /denied the request: annotation keyvault-injector\.dev\/containers names container "sidecar", but the pod has app: write one/,
    );
  });

  test("a class that is missing, and a key that is spelt wrong, are told of", async () => {
    const warnings = await applied(
      workload("Deployment", template({ inject: "true", "secret-provider-class": "nowhere", "mount-pth": "/x" })),
    );

    assert.deepEqual(warnings, [
      '"mount-pth" is not a keyvault-injector.dev/ annotation: did you mean "mount-path"?',
      'SecretProviderClass "nowhere" does not exist: pods wait for it (credentials: Secret "secrets-store-creds")',
    ]);
  });

  for (const field of ["annotations", "labels"] as const) {
    test(`F3: ${field} of ours on the workload itself, where nothing reads them, are told of when it is applied and when they are added`, async () => {
      const named = `misplaced-${field}`;
      const { metadata, ...plain } = workload("Deployment", template({}), named) as { readonly metadata: Json };
      const keys = { "keyvault-injector.dev/inject": "true", "keyvault-injector.dev/secret-provider-class": "demo" };
      const why = field === "labels" ? "labels of the Deployment have no effect" : "the Deployment's own metadata has no effect";
      const reported = `move keyvault-injector.dev/inject and secret-provider-class to spec.template.metadata.annotations: ${why}`;
      const verb = field === "labels" ? "label" : "annotate";

      assert.equal((await applied({ metadata: { ...metadata, [field]: keys }, ...plain })).join(" ").replaceAll(" … ", " "), reported);
      await plane.kubectl([verb, "deployment", named, "keyvault-injector.dev/inject-"]);
      const { stderr } = await kubectlOutput(plane, [verb, "deployment", named, "keyvault-injector.dev/inject=true"]);
      assert.equal(warningsIn(stderr).join(" ").replaceAll(" … ", " "), reported);

      // The API server does not call the webhook for a key of others, the same value again, or a removed key.
      const before = reviewsOf(await webhook.metrics(), "workload");
      await plane.kubectl([verb, "deployment", named, "example.com/other=x"]);
      await plane.kubectl([verb, "deployment", named, "keyvault-injector.dev/inject=true", "--overwrite"]);
      await plane.kubectl([verb, "deployment", named, "keyvault-injector.dev/inject-"]);
      assert.equal(reviewsOf(await webhook.metrics(), "workload"), before);
    });
  }

  test("P6: a restart window or a pause of the workload itself is told of when its value is changed, too", async () => {
    await applied(workload("Deployment", template({ "restart-on-rotation": "true" }), "timed"));
    const annotated = async (...pairs: readonly string[]): Promise<readonly string[]> => {
      const keys = pairs.map((pair) => `keyvault-injector.dev/${pair}`);
      return warningsIn((await kubectlOutput(plane, ["annotate", "deployment", "timed", "--overwrite", ...keys])).stderr);
    };

    assert.deepEqual(await annotated("restart-window=0 22 * * * for 4h", "restart-paused=true"), []);
    assert.deepEqual(await annotated("restart-window=at night"), [
      'restart-window "at night" is invalid, so no restart can begin: "at night" is not "<cron> for <duration>"',
    ]);
    assert.deepEqual(await annotated("restart-window=always", "restart-paused=no"), [
      'keyvault-injector.dev/restart-paused is "no" and pauses restarts: write "true" or "false"',
    ]);
  });

  test("P2: a misspelt restart annotation on the workload itself is told of when it is added", async () => {
    await applied(workload("Deployment", template({ "restart-on-rotation": "true" }), "misspelt"));
    const { stderr } = await kubectlOutput(plane, ["annotate", "deployment", "misspelt", "keyvault-injector.dev/restart-pause=true"]);

    assert.deepEqual(warningsIn(stderr), ['"restart-pause" is not a keyvault-injector.dev/ annotation: did you mean "restart-paused"?']);
  });

  test("what did not opt in, what a controller made, and what did not change is not even sent", async () => {
    const sent = async (): Promise<number> => reviewsOf(await webhook.metrics(), "workload");
    const wrong = workload("Deployment", template({ ...OPTED_IN, containers: "sidecar" }), "kept");
    await applied(wrong);
    await eventually(async () => (await plane.kubectl(["get", "replicasets", "-o", "name", "-l", "app=web"])).includes("kept-"));
    const before = await sent();

    assert.deepEqual(await applied(workload("Deployment", { ...template({}), metadata: { labels: { app: "web" } } })), []);
    await plane.kubectl(["scale", "deployment", "kept", "--replicas=1"]);
    await plane.kubectl(["label", "deployment", "kept", "new=label"]);
    await eventually(async () => (await plane.kubectl(["get", "deployment", "kept", "-o", "jsonpath={.status.conditions}"])) !== "");
    assert.equal(await sent(), before);

    const changed = workload("Deployment", template({ ...OPTED_IN, containers: "other" }), "kept");
    assert.equal((await applied(changed)).length, 3);
    assert.equal(await sent(), before + 1);
  });

  const spec = (changes: Json = {}, parameters: Json = {}): Json => ({
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { name: `class-${++serial}`, namespace: "default" },
    spec: { provider: "azure", parameters: { ...GOOD_PARAMETERS, ...parameters }, ...changes },
  });

  const classes: readonly [string, Json, readonly RegExp[]][] = [
    ["nothing is wrong with", spec(), []],
    ["another provider's", spec({ provider: "vault" }), []],
    ["wrong provider", spec({ provider: "Azure" }), [/^spec\.provider is "Azure": write "azure", in lower case$/]],
    [
      "unknown parameter",
      spec({}, { keyVaultNam: "kv" }),
      [/^parameter "keyVaultNam" is unknown and ignored: did you mean keyvaultName\?$/],
    ],
    ["unparsable objects", spec({}, { objects: "- not: the form" }), [/^spec\.parameters\.objects: write YAML with the key array/]],
    [
      "secretObjects that name no object",
      spec({ secretObjects: [{ secretName: "s", type: "Opaque", data: [{ objectName: "DemoSecrt", key: "k" }] }] }),
      [/^secretObjects\[0\]\.data\[0\]: no object produces "DemoSecrt": did you mean "DemoSecret"\?$/],
    ],
  ];
  for (const [which, object, expected] of classes) {
    test(`a class: ${which}`, async () => {
      const warnings = await applied(object);
      assert.equal(warnings.length >= expected.length && (expected.length > 0 || warnings.length === 0), true, warnings.join("\n"));
      for (const pattern of expected)
        assert.ok(
          warnings.some((text) => pattern.test(text)),
          `${String(pattern)}\n${warnings.join("\n")}`,
        );
      assert.ok(warnings.every((text) => text.length <= 120));
    });
  }

  test("the document's class, whose cloudName is null, is told that server-side apply would refuse it", async () => {
    const document = spec({}, { cloudName: null });
    const warnings = await applied(document);

    assert.deepEqual(warnings, ['parameter "cloudName" is null: write "" or remove it; server-side apply rejects it']);
    const { code, stderr } = await kubectlOutput(
      plane,
      ["apply", "--server-side", "-f", "-"],
      JSON.stringify({ ...document, metadata: { name: "ssa" } }),
    );
    assert.notEqual(code, 0);
    assert.match(stderr, /cloudName/);
  });

  test("server-side apply shows them too", async () => {
    assert.equal((await applied(spec({ provider: "Azure" }), "--server-side")).length, 1);
  });

  test("without the webhook everything is stored, and nobody waits for it", async () => {
    await webhook.kill();
    const start = performance.now();
    assert.deepEqual(await applied(workload("Deployment", template({ inject: "ture" }))), []);
    assert.ok(performance.now() - start < 10_000);
    webhook = await product.start("webhook");
  });

  test("no request of the webhook was answered 403", (context) => assertNothingForbidden(plane, context));
});

function reviewsOf(metrics: string, resource: string): number {
  return metrics
    .split("\n")
    .filter((line) => line.startsWith("keyvault_injector_preflight_reviews_total{") && line.includes(`resource="${resource}"`))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
