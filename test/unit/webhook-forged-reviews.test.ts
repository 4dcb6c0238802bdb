import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { KubeObject, SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { aClass, aPod, aReview, prefixed } from "../support/fixtures/pods.ts";
import { decidePod } from "../support/webhook/decide-pod.ts";
import { type ListeningWebhook, startWebhook } from "../support/webhook/listening-webhook.ts";
import { findLeaks } from "../support/worker/canary.ts";

/** Of the cluster, and in no review below. */
const HIDDEN = ["HIDDEN_KEY", "hidden-secret", "hidden-provider", "hidden-vault", "hidden-client"] as const;

/** Two Secrets of known names share a key; a third Secret and another class's provider are nobody's business. */
const CLASS: SecretProviderClass = {
  ...aClass({ keyvaultName: "hidden-vault", clientID: "hidden-client" }),
  spec: {
    provider: "azure",
    parameters: { keyvaultName: "hidden-vault", clientID: "hidden-client" },
    secretObjects: ["db", "web", "hidden-secret"].map((secretName) => ({ secretName, data: [{ objectName: "o", key: "HIDDEN_KEY" }] })),
  },
};
const FOREIGN: SecretProviderClass = { ...aClass({}, "foreign"), spec: { provider: "hidden-provider" } };

const inject = (more: Readonly<Record<string, string>> = {}) => ({ inject: "true", "secret-provider-class": "akvprovider-demo", ...more });
const app = (fields: object) => ({ containers: [{ name: "app", image: "app:1", ...fields }] });

const FORGED: Readonly<Record<string, object>> = {
  "two Secrets that share a key": aPod(inject({ "env-from": "db,web" })),
  "a container that has one of them": aPod(inject({ "env-from": "db" }), app({ envFrom: [{ secretRef: { name: "web" } }] })),
  "a Secret of no class": aPod(inject({ "env-from": "guess" })),
  "a class of another provider": aPod(inject({ "secret-provider-class": "foreign" })),
  "a class that is not there": aPod(inject({ "secret-provider-class": "absent" })),
  "the class alone": aPod(inject()),
};

function workload(pod: object): object {
  const { metadata, spec } = pod as { readonly metadata: object; readonly spec: object }; // Made above.
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: { template: { metadata, spec } } };
}

describe("a review that anybody may have forged", () => {
  let webhook: ListeningWebhook;
  before(async () => {
    const namespace: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "default", annotations: prefixed({}) } };
    webhook = await startWebhook({ known: [CLASS, FOREIGN], namespaces: { get: () => namespace } });
  });
  after(() => webhook.stop());

  async function answerTo(pod: object, path: string): Promise<string> {
    const deployments = { resource: { group: "apps", version: "v1", resource: "deployments" } };
    const review = path === "/mutate/pods" ? aReview(pod) : aReview(workload(pod), deployments);
    const { status, text, json } = await webhook.post(JSON.stringify(review), { path });
    assert.equal(status, 200);
    return `${text}\n${Buffer.from(json.response?.patch ?? "", "base64").toString()}`;
  }

  test("S9: is answered with the review's own words: no key, Secret or provider that only the cluster knows", async () => {
    const answers: { readonly name: string; readonly text: string }[] = [];
    for (const [name, pod] of Object.entries(FORGED)) {
      for (const path of ["/mutate/pods", "/validate/workloads"])
        answers.push({ name: `${name}, ${path}`, text: await answerTo(pod, path) });
    }

    assert.deepEqual(findLeaks(HIDDEN, answers), []);
    // The answers are about what is asked, and the search finds what is planted.
    assert.ok(answers.filter(({ text }) => text.includes("EnvTaken")).length >= 2);
    for (const value of HIDDEN) assert.notDeepEqual(findLeaks([value], [{ name: "planted", text: `${answers[0]?.text} ${value}` }]), []);
  });

  test("still says what is wrong, and where to look", async () => {
    assert.match(
      await answerTo(FORGED["two Secrets that share a key"] ?? {}, "/mutate/pods"),
      /lists Secrets \\"db\\" and \\"web\\", which have a key in common: compare what their classes write, and write one of them, or rename/,
    );
    assert.match(
      await answerTo(FORGED["a class of another provider"] ?? {}, "/mutate/pods"),
      /SecretProviderClass \\"foreign\\" has a provider other than \\"azure\\"/,
    );
  });

  test("names them to whom the cluster's words are open: the API server by its certificate, a user by their own rights", () => {
    const facts = { "akvprovider-demo": { kind: "found", class: CLASS }, foreign: { kind: "found", class: FOREIGN } } as const;
    const reported = JSON.stringify(Object.values(FORGED).map((pod) => decidePod(pod, { facts, isCallerTrusted: true })));

    assert.match(reported, /which both have the key \\\\?"HIDDEN_KEY/);
    assert.match(reported, /has provider \\\\?"hidden-provider/);
  });
});
