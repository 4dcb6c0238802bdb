import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SimulatedServer } from "../simulation/compare/simulated.ts";

const MERGE = "application/merge-patch+json";
const APPLY = "application/apply-patch+yaml";

const GROUP = "writes.example";
const schema = { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: { size: { type: "integer" } } } } } };
const DEFINITION = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `things.${GROUP}` },
  spec: {
    group: GROUP,
    scope: "Namespaced",
    names: { plural: "things", kind: "Thing" },
    versions: [
      { name: "v1", served: true, storage: true, schema },
      { name: "v1alpha1", served: true, storage: false, schema },
    ],
  },
};

/** A server with the definition. Returns a function that sends requests as an administrator. */
async function serverWith(): Promise<(method: string, url: string, contentType?: string, body?: unknown) => Promise<Answered>> {
  const server = new SimulatedServer(() => 0.5, { controllerManager: false });
  const send = async (method: string, url: string, contentType = "application/json", body?: unknown): Promise<Answered> => {
    const answer = await server.send({
      method,
      url,
      contentType,
      body: body === undefined ? undefined : JSON.stringify(body),
      user: undefined,
    });
    return { status: answer.status, body: answer.body as Answered["body"] };
  };
  await send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "application/json", DEFINITION);
  server.advanceTo(60_000);
  return send;
}

interface Answered {
  readonly status: number;
  readonly body: {
    readonly metadata: { readonly resourceVersion: string };
    readonly details?: { readonly causes: readonly { readonly field: string; readonly message: string }[] };
  };
}

describe("the simulated API server's writes", () => {
  for (const [version, isWritten] of [
    ["v1", true],
    ["v1alpha1", false],
  ] as const) {
    test(`empty labels applied in ${version} are ${isWritten ? "stored, and the next write that changes nothing takes them away" : "lost on the way to the stored version"}`, async () => {
      const send = await serverWith();
      const thing = { apiVersion: `${GROUP}/${version}`, kind: "Thing", metadata: { name: "one", labels: {} }, spec: { size: 1 } };
      const applied = await send("PATCH", `/apis/${GROUP}/${version}/namespaces/default/things/one?fieldManager=a`, APPLY, thing);

      const merged = await send("PATCH", `/apis/${GROUP}/v1/namespaces/default/things/one?fieldManager=b`, MERGE, { spec: { size: 1 } });
      const again = await send("PATCH", `/apis/${GROUP}/${version}/namespaces/default/things/one?fieldManager=a`, APPLY, thing);

      assert.deepEqual([applied.status, merged.status, again.status], [201, 200, 200]);
      assert.equal(merged.body.metadata.resourceVersion !== applied.body.metadata.resourceVersion, isWritten);
      assert.equal(again.body.metadata.resourceVersion !== merged.body.metadata.resourceVersion, isWritten);
    });
  }

  test("a StatefulSet's rolling update that was filled in is in the way of a patch to OnDelete", async () => {
    const send = await serverWith();
    const url = "/apis/apps/v1/namespaces/default/statefulsets";
    const template = { metadata: { labels: { app: "a" } }, spec: { containers: [{ name: "web", image: "web" }] } };
    const spec = { selector: { matchLabels: { app: "a" } }, serviceName: "web", template };
    await send("POST", url, "application/json", { apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "web" }, spec });

    const refused = await send("PATCH", `${url}/web`, MERGE, { spec: { updateStrategy: { type: "OnDelete" } } });
    const cleared = await send("PATCH", `${url}/web`, MERGE, { spec: { updateStrategy: { type: "OnDelete", rollingUpdate: null } } });

    assert.equal(refused.status, 422);
    assert.deepEqual(
      refused.body.details?.causes.map(({ field }) => field),
      ["spec.updateStrategy.rollingUpdate"],
    );
    assert.equal(cleared.status, 200);
  });
});
