import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type KubectlOutput, kubectlOutput } from "../support/cli/kubectl-output.ts";
import { type ApiAnswer, apiRequest } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { aNamespace } from "../support/cluster/namespace.ts";
import { assertNothingForbidden } from "../support/cluster/own-requests.ts";
import { installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { at, listAt } from "../support/cluster/shipped-manifests.ts";
import { aClass, aPod, aReview, documentVolume, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { eventually } from "../support/time/eventually.ts";
import { postToWebhook, type WebhookTarget, webhookTarget } from "../support/webhook/webhook-request.ts";
import { type Annotations, CLASS, MISTAKES, withOptIn } from "./pod-mistakes.ts";

type Json = Readonly<Record<string, unknown>>;

const refusal = controlPlaneRefusal();
const MIB = 1024 * 1024;

let plane: ControlPlane;
let product: Product;
let webhook: ProductProcess;
let namespace: string;

/** A pod without a name, so that the pods do not collide. */
function podWith(annotations: Annotations, spec: Json = {}): Json {
  const pod = aPod(annotations, spec);
  return { ...pod, metadata: { ...Object(pod["metadata"]), name: undefined, generateName: "app-" } };
}

function kubectlCreate(pod: Json, where = namespace): Promise<KubectlOutput> {
  return kubectlOutput(plane, ["create", "-n", where, "-o", "json", "-f", "-"], JSON.stringify(pod));
}

function post(pod: Json, where = namespace, query = "?dryRun=All"): Promise<ApiAnswer> {
  return apiRequest(plane, { method: "POST", path: `/api/v1/namespaces/${where}/pods${query}`, body: pod });
}

const ourVolumes = (pod: unknown): readonly unknown[] => listAt(pod, "spec", "volumes").filter((volume) => at(volume, "csi") !== undefined);

describe("what is wrong with a pod or a review", { skip: refusal }, () => {
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    product = await installProduct(plane);
    webhook = await product.start("webhook");
    namespace = await aNamespace(plane);
    const classes = [
      aClass({}, CLASS, namespace),
      aClass({ usePodIdentity: "true" }, "pod-identity", namespace),
      aClass({ useVMManagedIdentity: "true" }, "managed-identity", namespace),
      aClass({ useAzureTokenProxy: "true" }, "token-proxy", namespace),
      aClass({ clientID: "11111111-2222-3333-4444-555555555555" }, "workload-identity", namespace),
      aClass({ useVMManagedIdentity: "maybe" }, "undecided", namespace),
      { ...aClass({}, "other-provider", namespace), spec: { provider: "vault" } },
    ];
    await plane.kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: classes }));
  });

  after(async () => {
    await product?.stop();
    await plane?.stop();
  });

  describe("is told to who creates it", () => {
    for (const { title, annotations, spec, message, corrected } of MISTAKES) {
      test(`${title}: 422 that names annotation, value and fix; corrected as told, the pod is admitted`, async () => {
        const { status, body } = await post(podWith(annotations, spec));
        const shown = await kubectlCreate(podWith(annotations, spec));
        const after = await post(podWith(corrected, spec));

        assert.deepEqual([status, at(body, "code")], [422, 422]);
        assert.match(String(at(body, "message")), message);
        assert.equal(shown.code, 1);
        assert.match(shown.stderr, /admission webhook "pods\.keyvault-injector\.dev" denied the request: /);
        assert.match(shown.stderr.trim(), message);
        assert.equal(after.status, 201, String(at(after.body, "message")));
      });
    }

    test("and nothing of it is stored", async () => {
      assert.equal(await plane.kubectl(["get", "pods", "-n", namespace, "-o", "name"]), "");
    });
  });

  describe("is a warning where the pod can be admitted all the same", () => {
    async function admitted(annotations: Annotations, spec: Json = {}): Promise<{ readonly pod: unknown; readonly stderr: string }> {
      const { code, stdout, stderr } = await kubectlCreate(podWith(annotations, spec));
      assert.equal(code, 0, stderr);
      return { pod: JSON.parse(stdout), stderr };
    }

    test("a class that is not there yet: the default reference is set and said", async () => {
      const { pod, stderr } = await admitted(withOptIn({ "secret-provider-class": "later" }));

      assert.match(
        stderr,
        /^Warning: SecretProviderClass "later" does not exist: pods wait for it \(credentials: Secret "secrets-store-creds"\)$/m,
      );
      assert.equal(at(ourVolumes(pod)[0], "csi", "nodePublishSecretRef", "name"), "secrets-store-creds");
    });

    for (const name of ["pod-identity", "managed-identity", "token-proxy", "workload-identity"]) {
      test(`a class of mode ${name} needs no credentials: no reference, no warning`, async () => {
        const { pod, stderr } = await admitted(withOptIn({ "secret-provider-class": name }));

        assert.equal(stderr, "");
        assert.deepEqual(ourVolumes(pod), [
          {
            name: "secrets-store-inline",
            csi: { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass: name } },
          },
        ]);
      });
    }

    test("a service-principal class gets the reference, without a warning", async () => {
      const { pod, stderr } = await admitted(OPTED_IN);

      assert.equal(stderr, "");
      assert.equal(at(ourVolumes(pod)[0], "csi", "nodePublishSecretRef", "name"), "secrets-store-creds");
    });

    test("a class that will fail to mount: the flag or the provider is named", async () => {
      const undecided = await admitted(withOptIn({ "secret-provider-class": "undecided" }));
      const other = await admitted(withOptIn({ "secret-provider-class": "other-provider" }));

      assert.match(undecided.stderr, /^Warning: .*"undecided": "useVMManagedIdentity" must be "true" or "false"; the mount will fail$/m);
      assert.match(other.stderr, /^Warning: .*"other-provider" has a provider other than "azure"$/m);
    });

    test("an unknown annotation: the nearest known one is named", async () => {
      const optional = await admitted(withOptIn({ "mount-paht": "/vault" }));
      const optIn = await admitted({ Inject: "true", "secret-provider-class": CLASS });

      assert.match(optional.stderr, /^Warning: "mount-paht" is not a keyvault-injector\.dev\/ annotation: did you mean "mount-path"\?$/m);
      assert.equal(ourVolumes(optional.pod).length, 1);
      assert.match(optIn.stderr, /^Warning: "Inject" is not a keyvault-injector\.dev\/ annotation: did you mean "inject"\?$/m);
      assert.match(optIn.stderr, /^Warning: nothing is injected: keyvault-injector\.dev\/secret-provider-class needs .*\/inject: "true"$/m);
      assert.equal(ourVolumes(optIn.pod).length, 0);
    });
  });

  describe("is answered to whoever calls the webhook's own port", () => {
    let target: WebhookTarget;
    const review = (padding = 0): string => JSON.stringify(aReview(aPod(OPTED_IN), { padding: "x".repeat(padding) }));

    before(async () => {
      target = await webhookTarget(plane, webhook.admissionPort);
    });

    test("a body over 7 MiB: 413 with a review, and the next request is served", async () => {
      const { status, body } = await postToWebhook(target, review(7 * MIB));

      assert.equal(status, 413);
      assert.deepEqual([at(body, "kind"), at(body, "response", "allowed")], ["AdmissionReview", false]);
      assert.equal(at(body, "response", "uid"), at(aReview({}), "request", "uid"));
      assert.match(String(at(body, "response", "status", "message")), /the body is larger than 7 MiB/);
      const next = await postToWebhook(target, review(6 * MIB));
      assert.deepEqual([next.status, at(next.body, "response", "allowed")], [200, true]);
    });

    test("a body cut anywhere: 400 with a review that says so", async () => {
      const whole = review();
      for (let length = 1; length < whole.length; length += 53) {
        const { status, body } = await postToWebhook(target, whole.slice(0, length));
        assert.equal(status, 400);
        assert.match(String(at(body, "response", "status", "message")), /not valid JSON: it may be truncated/);
      }
      assert.equal((await postToWebhook(target, whole)).status, 200);
    });

    test("no review, no JSON, no UTF-8, another type, another method, another path: each is refused and says why", async () => {
      const cases: readonly [string | Buffer, Parameters<typeof postToWebhook>[2], number, RegExp][] = [
        [JSON.stringify({ kind: "Pod" }), {}, 400, /kind must be "AdmissionReview", it is "Pod"/],
        ["hello", {}, 400, /not valid JSON/],
        ["", {}, 400, /not valid JSON/],
        [Buffer.from([0x7b, 0xff, 0x7d]), {}, 400, /not valid UTF-8/],
        [review(), { headers: { "content-type": "text/plain" } }, 400, /Content-Type must be application\/json, it is "text\/plain"/],
        [review(), { method: "PUT" }, 405, /accepts only POST/],
        [review(), { path: "/mutate" }, 404, /send reviews to \/mutate\/pods/],
      ];
      for (const [sent, options, status, message] of cases) {
        const answer = await postToWebhook(target, sent, options);
        assert.equal(answer.status, status);
        assert.match(String(at(answer.body, "response", "status", "message") ?? at(answer.body, "message")), message);
      }
      assert.equal(await webhook.isReady(), true);
    });

    test("a pod of a thousand containers and one with 256 KiB of annotations are admitted with their volume, or denied with a reason", async () => {
      const containers = Array.from({ length: 1_000 }, (_, index) => ({ name: `c${index}`, image: "app:1" }));
      const many = await post(podWith(withOptIn({ containers: "-c999" }), { containers }));
      const others = Object.entries(prefixed(withOptIn({ note: "" })))
        .flat()
        .join("").length;
      // The annotations have the maximum size that the API server accepts: there is no room for a status.
      const filled = await post(podWith(withOptIn({ note: "x".repeat(256 * 1024 - others) })));
      const denied = await post(podWith(withOptIn({ "mount-path": "/".padEnd(261_000, "x") })));

      assert.deepEqual(
        [many, filled].map(({ status, body }) => [status, ourVolumes(body).length]),
        [
          [201, 1],
          [201, 1],
        ],
      );
      const mounted = listAt(many.body, "spec", "containers").filter((each) => listAt(each, "volumeMounts").length === 2);
      assert.equal(mounted.length, 999);
      assert.deepEqual([denied.status, at(denied.body, "reason")], [422, "InvalidAnnotation"]);
    });

    test("a pod of over 1 MiB, which the API server takes, passes whole", async () => {
      const value = "x".repeat(100_000);
      const env = Array.from({ length: 11 }, (_, index) => ({ name: `V${index}`, value }));
      const { status, body } = await post(podWith(OPTED_IN, { containers: [{ name: "app", image: "app:1", env }] }), namespace, "");

      assert.equal(status, 201);
      assert.deepEqual(at(body, "spec", "containers", 0, "env"), env);
      assert.equal(ourVolumes(body).length, 1);
    });
  });

  describe("is not our business", () => {
    const restricted = { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ["ALL"] } };
    const securityContext = { ...restricted, seccompProfile: { type: "RuntimeDefault" } };
    for (const excluded of ["kube-system", "keyvault-injector"]) {
      test(`in ${excluded}: an opted-in pod, even a wrong one, is stored as it is`, async () => {
        await plane.kubectl(["create", "serviceaccount", "default", "-n", excluded]);
        const spec = { containers: [{ name: "app", image: "app:1", securityContext }] };

        for (const annotations of [OPTED_IN, { inject: "maybe" }]) {
          const { code, stdout, stderr } = await kubectlCreate(podWith(annotations, spec), excluded);
          assert.equal(code, 0, stderr);
          assert.equal(ourVolumes(JSON.parse(stdout)).length, 0);
        }
      });
    }
  });

  describe("while the webhook is down", () => {
    before(async () => {
      assert.equal(await webhook.stop(), 0);
    });
    after(async () => {
      webhook = await product.start("webhook");
    });

    test("an opted-in pod is denied by the policy, which says why and who tries again", async () => {
      const { code, stderr } = await kubectlCreate(podWith(OPTED_IN));

      assert.equal(code, 1);
      assert.match(stderr, /ValidatingAdmissionPolicy 'keyvault-injector-pod-volume'/);
      assert.match(stderr, /no volume of driver secrets-store\.csi\.k8s\.io for class akvprovider-demo: the injector was unavailable/);
      assert.match(stderr, /Controllers retry automatically\. Recreate a pod that has no controller yourself/);
    });

    test("pods without annotations, with the opt-in turned off, and with volume and mount in place are admitted", async () => {
      const volumeMounts = [{ name: "secrets-store-inline", mountPath: "/mnt/secrets-store", readOnly: true }];
      const complete = { volumes: [documentVolume()], containers: [{ name: "app", image: "app:1", volumeMounts }] };
      const pods = [podWith({}), podWith({ ...OPTED_IN, inject: "false" }), podWith(OPTED_IN, complete)];

      for (const pod of pods) assert.equal((await kubectlCreate(pod)).code, 0);
      const { code, stderr } = await kubectlCreate(podWith(OPTED_IN, { volumes: [documentVolume()] }));
      assert.equal(code, 1);
      assert.match(stderr, /no container mounts the volume for class akvprovider-demo: the injector was unavailable/);
    });
  });

  describe("when the webhook is back", () => {
    test("opted-in pods are admitted again with no help", async () => {
      // The API server may still wait for the connection that the stopped webhook closed.
      await eventually(async () => (await post(podWith(OPTED_IN))).status === 201);
    });

    test("with --strict-annotations an unknown annotation is denied, and a known one is not", async () => {
      await webhook.stop();
      webhook = await product.start("webhook", { args: ["--strict-annotations=true"] });
      await eventually(async () => (await post(podWith(OPTED_IN))).status === 201);

      const { status, body } = await post(podWith(withOptIn({ "mount-paht": "/vault" })));

      assert.equal(status, 422);
      assert.match(
        String(at(body, "message")),
        /annotation keyvault-injector\.dev\/mount-paht is unknown: did you mean keyvault-injector\.dev\/mount-path\? Correct or remove it/,
      );
    });
  });

  test("no request of the webhook was answered 403", (context) => assertNothingForbidden(plane, context));
});
