import assert from "node:assert/strict";
import { test } from "node:test";
import { runOnline } from "../support/cli/cli.ts";
import { sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";

const P = "keyvault-injector.dev";

const metadata = { name: "web", namespace: "shop", generation: 1 };
const OBJECTS: Readonly<Record<string, object>> = {
  "secretproviderclasses/web": {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata,
    spec: {
      provider: "azure",
      parameters: {
        keyvaultName: "shop-kv",
        tenantID: "tenant",
        clientID: "id",
        objects: "array:\n  - |\n    objectName: a\n    objectType: secret\n",
      },
      secretObjects: ["app", "more"].map((secretName) => ({ secretName, type: "Opaque", data: [{ key: "a", objectName: "a" }] })),
    },
  },
  ...Object.fromEntries(
    ["app", "more"].map((name) => [
      `secrets/${name}`,
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { ...metadata, name, annotations: { [`${P}/refresh`]: "now" } },
        data: { a: btoa("canary") },
      },
    ]),
  ),
};

test("NW-M4: explain reads of the Secrets of a class their metadata alone", async (t) => {
  const accepted = new Map<string, string>();
  const server = await startStubApiServer(({ url, accept }, response) => {
    const key = url.pathname.split("/").slice(-2).join("/");
    const object = OBJECTS[key];
    if (key.startsWith("secrets/") || key.endsWith("/secrets")) accepted.set(key, accept);
    if (object !== undefined) sendJson(response, 200, object);
    else if (url.searchParams.has("limit"))
      sendJson(response, 200, { kind: "List", apiVersion: "v1", metadata: { resourceVersion: "1" }, items: [] });
    else
      sendJson(response, 404, {
        kind: "Status",
        apiVersion: "v1",
        status: "Failure",
        reason: "NotFound",
        code: 404,
        details: { name: key.split("/")[1] },
      });
  });
  t.after(() => server.stop());
  const { output } = await runOnline(["explain", "spc/web", "-n", "shop"], server.kubeconfig);

  assert.match(output, /^ {2}warning +secret +Secret app: its annotation "keyvault-injector\.dev\/refresh" has no effect/m);
  assert.match(output, /Secret more: its annotation/);
  assert.deepEqual(Object.fromEntries(accepted), {
    "secrets/app": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    "secrets/more": "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
  });
});
