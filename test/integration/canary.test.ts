import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { type SpawnedEmulator, spawnEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import { forbidden } from "../support/cluster/audit.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import { findLeaks, type Text } from "../support/worker/canary.ts";

const refusal = controlPlaneRefusal();
const VAULT = "canary-vault";

/**
 * Awkward on purpose: quotes, a line break, characters that differ between base64 alphabets, and random bytes that cannot occur by chance.
 */
function aCanary(name: string): string {
  return `${name}-"${randomBytes(12).toString("hex")}"\n~?>ü/+`;
}

describe("seeded secret values", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let plane: ControlPlane;
  let emulator: SpawnedEmulator;
  let product: Product;
  const metrics: Text[] = [];
  const processes: ProductProcess[] = [];
  const canaries = { first: aCanary("first"), second: aCanary("second"), refused: aCanary("refused"), clientSecret: aCanary("client") };

  before(async () => {
    plane = await startControlPlane();
    emulator = await spawnEmulator(mkdtempSync(path.join(plane.directory, "emulator-")));
    product = await installProduct(plane, { environment: { HTTPS_PROXY: emulator.proxyUrl, NODE_EXTRA_CA_CERTS: emulator.caFile } });
    // Debug logs everything: a value that is absent here is absent at every level.
    const args = ["--log-level=debug", "--rotation-poll-interval=10s"];
    processes.push(...(await Promise.all([product.start("webhook", { args }), product.start("sync", { args })])));
  });
  after(async () => {
    await product?.stop();
    await emulator?.stop();
    await plane?.stop();
  });

  test("pass through every state of a class", async () => {
    const { tenantId } = await emulator.createVault({ name: VAULT });
    const { appId } = await emulator.createServicePrincipal({ tenantId, clientSecret: canaries.clientSecret });
    await emulator.grant({ vault: VAULT, appId, permissions: ["get"] });
    await emulator.setSecret({ vault: VAULT, name: "app", value: canaries.first });
    await emulator.setSecret({ vault: VAULT, name: "large", value: canaries.refused });
    await plane.kubectl([
      "create",
      "secret",
      "generic",
      "secrets-store-creds",
      `--from-literal=clientid=${appId}`,
      `--from-literal=clientsecret=${canaries.clientSecret}`,
    ]);

    await apply(aClass("mirrored", tenantId, { objects: ["app"], type: "Opaque" }));
    await eventually(async () => (await valueOf("mirrored")) === canaries.first, { what: "the mirrored value" });
    await apply({ apiVersion: "v1", kind: "Pod", ...anAnnotatedPod() });

    await emulator.setSecret({ vault: VAULT, name: "app", value: canaries.second });
    await eventually(async () => (await valueOf("mirrored")) === canaries.second, { what: "the rotated value" });
    await plane.kubectl(["patch", "secret", "mirrored", "-p", JSON.stringify({ stringData: { value: "edited" } })]);
    await eventually(async () => (await valueOf("mirrored")) === canaries.second, { what: "the repaired value" });

    // Values that the API server rejects and credentials that Entra rejects pass through every error path.
    await apply(aClass("refused", tenantId, { objects: ["large"], type: "kubernetes.io/dockerconfigjson" }));
    await eventually(() => isReason("refused", "InvalidObject"), { what: "the API server's refusal" });
    await emulator.setClientSecret({ appId, clientSecret: `${canaries.clientSecret}-rotated` });
    await apply(aClass("unauthorized", tenantId, { objects: ["app"], type: "Opaque", vault: "no-such-vault" }));
    await eventually(() => isReason("unauthorized", "Unreachable"), { what: "the unreachable vault" });
    await plane.kubectl(["delete", "crd", "secretproviderclasses.secrets-store.csi.x-k8s.io"]);
    await eventually(() => plane.kubectl(["get", "secretproviderclass", "mirrored"]), { what: "the class's return" });
    for (const running of processes) metrics.push({ name: `metrics of ${running.role}`, text: await running.metrics() });
  });

  test("are found nowhere but in Secrets", async () => {
    const texts = [
      ...(await objects()),
      ...metrics,
      ...product.logs().map((file) => ({ name: path.basename(file), text: readFileSync(file, "utf8") })),
    ];
    const bytes = texts.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);

    const leaks = findLeaks(Object.values(canaries), texts);

    console.log(
      `canary: ${bytes} bytes in ${texts.length} places scanned for ${Object.keys(canaries).length} values, ${leaks.length} found`,
    );
    assert.deepEqual(leaks, []);
    assert.ok(
      texts.some(({ name }) => name === "controllerrevisions.apps") && texts.some(({ name }) => name === "events"),
      "snapshots and events were scanned",
    );
  });

  test("are found by the same scan where one is planted in a log", () => {
    const [log = ""] = product.logs();
    const planted = path.join(plane.directory, "planted.log");
    writeFileSync(
      planted,
      `${readFileSync(log, "utf8")}${JSON.stringify({ msg: "planted", value: Buffer.from(`x${canaries.first}`).toString("base64") })}\n`,
    );

    const leaks = findLeaks(Object.values(canaries), [{ name: "planted", text: readFileSync(planted, "utf8") }]);

    assert.equal(leaks.length, 1);
  });

  test("needed no right that our processes lack", () => {
    const requests = plane.audit().filter(({ user }) => user.startsWith("system:serviceaccount:keyvault-injector:"));

    assert.deepEqual(forbidden(requests), []);
    console.log(`audit: ${requests.length} requests, 0 answered 403`);
  });

  async function apply(manifest: object): Promise<void> {
    await plane.kubectl(["apply", "-f", "-"], JSON.stringify(manifest));
  }

  async function valueOf(secret: string): Promise<string> {
    return Buffer.from(await plane.kubectl(["get", "secret", secret, "-o", "jsonpath={.data.value}"]), "base64").toString("utf8");
  }

  async function isReason(name: string, reason: string): Promise<boolean> {
    return (await plane.kubectl(["get", "spcsync", name, "--no-headers"])).includes(reason);
  }

  /** Returns everything that the API server can list, as JSON. Leaves out the data of Secrets, where values belong. */
  async function objects(): Promise<readonly Text[]> {
    const kinds = (await plane.kubectl(["api-resources", "--verbs=list", "-o", "name"])).trim().split("\n");
    return Promise.all(
      kinds.map(async (kind) => {
        const list: { items: { data?: unknown }[] } = JSON.parse(
          await plane.kubectl(["get", kind, "-A", "-o", "json", "--show-managed-fields"]),
        );
        const items = kind === "secrets" ? list.items.map(({ data: _data, ...rest }) => rest) : list.items;
        return { name: kind, text: JSON.stringify(items) };
      }),
    );
  }
});

interface ClassChoice {
  readonly objects: readonly string[];
  readonly type: string;
  readonly vault?: string;
}

function aClass(name: string, tenantId: string, { objects, type, vault = VAULT }: ClassChoice): object {
  const array = objects.map((object) => `  - |\n    objectName: ${object}\n    objectType: secret\n`).join("");
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { name },
    spec: {
      provider: "azure",
      parameters: { keyvaultName: vault, tenantId, objects: `array:\n${array}` },
      secretObjects: [
        {
          secretName: name,
          type,
          data: objects.map((objectName) => ({ objectName, key: type === "Opaque" ? "value" : ".dockerconfigjson" })),
        },
      ],
    },
  };
}

function anAnnotatedPod(): object {
  return {
    metadata: {
      name: "app",
      annotations: { "keyvault-injector.dev/inject": "true", "keyvault-injector.dev/secret-provider-class": "mirrored" },
    },
    spec: { containers: [{ name: "app", image: "app" }] },
  };
}
