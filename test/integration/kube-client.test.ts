import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { type KubeObject, RESOURCES, type Secret } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import {
  CONFIG_MAPS,
  type KubeAccess,
  kubeAccess,
  proxiedKubeconfig,
  WIDGETS,
  type Widget,
  widget,
  widgetDefinition,
} from "../support/cluster/kube-access.ts";
import { startTcpProxy } from "../support/processes/tcp-proxy.ts";
import { eventually } from "../support/time/eventually.ts";

const refusal = controlPlaneRefusal();
const MANAGER = { fieldManager: "test" };
const signal = new AbortController().signal;

function code(expected: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof KubeError, String(error));
    assert.equal(error.code, expected, error.message);
    return true;
  };
}

async function errorOf(refused: Promise<unknown>): Promise<KubeError> {
  const error = await refused.then(
    () => assert.fail("the API server accepted it"),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof KubeError, String(error));
  return error;
}

function secret(name: string, data: Secret["data"] = {}): Secret {
  return { apiVersion: "v1", kind: "Secret", metadata: { namespace: "default", name }, data };
}

describe("the Kubernetes client", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let plane: ControlPlane;
  let access: KubeAccess;
  let client: KubeClient;
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    access = kubeAccess(plane.kubeconfigPath);
    client = access.client;
  });
  after(async () => {
    await access?.config.close();
    await plane?.stop();
  });

  test("tells an absent object from a kind that is not served", async () => {
    const ref = { namespace: "default", name: "nothing" };
    assert.deepEqual(await client.read(RESOURCES.secrets, ref, signal), { kind: "absent" });
    assert.deepEqual(await client.read(WIDGETS, ref, signal), { kind: "unserved" });
    await assert.rejects(client.list(WIDGETS, {}, signal), code("NotFound"));
    assert.equal(await client.delete(RESOURCES.secrets, ref, {}, signal), false);
    await assert.rejects(client.delete(WIDGETS, ref, {}, signal), code("NotFound"));
  });

  test("keeps defaults, enums and x-kubernetes fields of a CRD that it applies, and what the API server answers", async () => {
    const applied = await client.apply(RESOURCES.customResourceDefinitions, widgetDefinition(), { ...MANAGER, force: true }, signal);
    assert.ok(applied.metadata.uid !== undefined && applied.metadata.resourceVersion !== undefined);

    const path = "jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties}";
    const properties: unknown = JSON.parse(await plane.kubectl(["get", "crd", "widgets.test.keyvault-injector.dev", "-o", path]));
    assert.deepEqual(properties, {
      size: { type: "integer", default: 3, enum: [3, 4] },
      colour: { type: "string", "x-kubernetes-validations": [{ rule: "self != 'black'", message: "not black" }] },
      free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    });
    const read = await client.read<KubeObject & { spec: unknown }>(RESOURCES.customResourceDefinitions, applied.metadata, signal);
    assert.ok(read.kind === "found");
    const answered: KubeObject & { spec?: unknown } = applied;
    assert.deepEqual(answered.spec, read.object.spec);

    const made = await eventually(() => client.create<Widget>(WIDGETS, widget("w", {}), MANAGER, signal), { what: "the new kind" });
    assert.equal(made.spec?.size, 3);
    await assert.rejects(client.apply(WIDGETS, widget("w", { colour: "black" }), { ...MANAGER, force: true }, signal), code("Invalid"));
  });

  test("reports a refused CRD as it reports any other object", async () => {
    const broken = { ...widgetDefinition(), spec: { group: "x" } };
    await assert.rejects(client.apply(RESOURCES.customResourceDefinitions, broken, { ...MANAGER, force: true }, signal), code("Invalid"));
  });

  test("writes nothing in a dry run", async () => {
    const options = { ...MANAGER, force: true, dryRun: true };
    await client.apply(RESOURCES.secrets, secret("dry"), options, signal);
    await client.create(RESOURCES.secrets, secret("dry"), options, signal);
    const definition = { ...widgetDefinition(), metadata: { name: "widgets.test.keyvault-injector.dev", labels: { dry: "run" } } };
    await client.apply(RESOURCES.customResourceDefinitions, definition, options, signal);
    assert.deepEqual(await client.read(RESOURCES.secrets, { namespace: "default", name: "dry" }, signal), { kind: "absent" });
    const read = await client.read(RESOURCES.customResourceDefinitions, definition.metadata, signal);
    assert.ok(read.kind === "found" && read.object.metadata.labels?.["dry"] === undefined);
  });

  test("refuses a taken name, a foreign uid and an old version", async () => {
    const made = await client.create(RESOURCES.secrets, secret("taken"), MANAGER, signal);
    const ref = { namespace: "default", name: "taken" };
    await assert.rejects(client.create(RESOURCES.secrets, secret("taken"), MANAGER, signal), code("AlreadyExists"));
    await assert.rejects(client.delete(RESOURCES.secrets, ref, { uid: "another" }, signal), code("Conflict"));
    await assert.rejects(client.delete(RESOURCES.secrets, ref, { resourceVersion: "1" }, signal), code("Conflict"));
    const gone = { ...secret("gone"), metadata: { namespace: "default", name: "gone", uid: made.metadata.uid ?? "" } };
    await assert.rejects(client.apply(RESOURCES.secrets, gone, { ...MANAGER, force: true }, signal), code("Conflict"));
    assert.equal(await client.delete(RESOURCES.secrets, ref, { uid: made.metadata.uid ?? "" }, signal), true);
  });

  test("removes a field by merge patch", async () => {
    await client.create(RESOURCES.secrets, secret("patched", { a: "YQ==", b: "Yg==" }), MANAGER, signal);
    const ref = { namespace: "default", name: "patched" };
    const patched = await client.mergePatch<Secret>(RESOURCES.secrets, ref, { data: { a: null } }, MANAGER, signal);
    assert.deepEqual(patched.data, { b: "Yg==" });
  });

  test("never says what a Secret held, whatever the API server objects to", async () => {
    const value = "c3VwZXItc2VjcmV0";
    const bad: readonly Secret[] = [
      secret("bad", { "no/slash": value }),
      secret("bad", { key: `${value}!` }),
      { ...secret("bad", { key: value }), type: "kubernetes.io/tls" },
      { ...secret("bad"), metadata: { namespace: "default", name: "bad", labels: { l: `not ${value}` } } },
    ];
    for (const body of bad) {
      const writes = [
        () => client.create(RESOURCES.secrets, body, MANAGER, signal),
        () => client.apply(RESOURCES.secrets, body, { ...MANAGER, force: true }, signal),
      ];
      for (const write of writes) {
        const error = await errorOf(write());
        assert.ok(!`${error.message} ${error.stack ?? ""} ${JSON.stringify(error)}`.includes("c3VwZXIt"), error.message);
      }
    }
  });

  test("does not let a name leave its path", async () => {
    for (const name of ["..", ".", "", "a/b", "..%2f"]) {
      await assert.rejects(client.delete(RESOURCES.secrets, { namespace: "default", name }, {}, signal), code("Invalid"));
      await assert.rejects(client.read(RESOURCES.secrets, { namespace: name, name: "x" }, signal), code("Invalid"));
    }
  });

  test("lists every page", async () => {
    const names = Array.from({ length: 23 }, (_, index) => `page-${index}`);
    const body = (name: string): KubeObject => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: "default", name, labels: { paged: "yes" } },
    });
    await Promise.all(names.map((name) => client.create(CONFIG_MAPS, body(name), MANAGER, signal)));
    const paging = createKubeClient(access.config, { userAgent: "test", pageSize: 5 });
    const listed = await paging.list(CONFIG_MAPS, { namespace: "default", labelSelector: "paged=yes" }, signal);
    assert.deepEqual(listed.map(({ metadata }) => metadata.name).sort(), names.sort());
    assert.ok(listed.every(({ kind, apiVersion }) => kind === "ConfigMap" && apiVersion === "v1"));
    const one = await paging.list(CONFIG_MAPS, { namespace: "default", fieldSelector: "metadata.name=page-7" }, signal);
    assert.equal(one.length, 1);
  });

  test("uses its connections again", async () => {
    const { proxy, kubeconfig } = await proxiedKubeconfig(plane);
    const proxied = kubeAccess(kubeconfig);
    try {
      for (let i = 0; i < 200; i++) await proxied.client.read(RESOURCES.namespaces, { name: "default" }, signal);
      assert.ok(proxy.connections <= 3, `${proxy.connections} connections for 200 calls`);
    } finally {
      await proxied.config.close();
      await proxy.stop();
    }
  });

  test("sends nothing to a proxy that the environment names", async () => {
    const trap = await startTcpProxy({ host: "127.0.0.1", port: 1 });
    trap.refusing = true;
    const script = `
      import { loadKubeConfig } from ${JSON.stringify(import.meta.resolve("../../src/kube/load-config.ts"))};
      import { createKubeClient } from ${JSON.stringify(import.meta.resolve("../../src/kube/client.ts"))};
      const config = loadKubeConfig({ kubeconfig: ${JSON.stringify(plane.kubeconfigPath)} });
      const client = createKubeClient(config, { userAgent: "test" });
      const read = await client.read(${JSON.stringify(RESOURCES.namespaces)}, { name: "default" }, new AbortController().signal);
      await config.close();
      process.stdout.write(read.kind);
      if (process.argv.includes("control")) await fetch("https://192.0.2.1/").catch(() => undefined);
    `;
    const proxy = `http://127.0.0.1:${trap.port}`;
    const env = {
      ...process.env,
      NODE_USE_ENV_PROXY: "1",
      HTTPS_PROXY: proxy,
      HTTP_PROXY: proxy,
      ALL_PROXY: proxy,
      https_proxy: proxy,
      NO_PROXY: "",
    };
    const run = async (...args: readonly string[]): Promise<string> =>
      (await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script, ...args], { env })).stdout;
    try {
      assert.equal(await run(), "found");
      assert.equal(trap.connections, 0);
      // The control: Node's own fetch does use that proxy.
      await run("control");
      assert.ok(trap.connections > 0);
    } finally {
      await trap.stop();
    }
  });

  test("connects anew when its CA file changes, and trusts what is in it then", async () => {
    const { proxy, kubeconfig } = await proxiedKubeconfig(plane);
    const caFile = path.join(plane.directory, "rotating-ca.crt");
    writeFileSync(caFile, plane.config.caPem);
    const withFile = readFileSync(kubeconfig, "utf8").replace(/certificate-authority-data: .*/, `certificate-authority: ${caFile}`);
    assert.match(withFile, /certificate-authority: /);
    writeFileSync(kubeconfig, withFile);
    const rotating = kubeAccess(kubeconfig);
    const read = (): Promise<unknown> => rotating.client.read(RESOURCES.namespaces, { name: "default" }, signal);
    try {
      for (let i = 0; i < 10; i++) await read();
      const used = proxy.connections;
      assert.ok(used <= 3, `${used} connections before the change`);
      utimesSync(caFile, new Date(), new Date(Date.now() + 5_000));
      await read();
      assert.equal(proxy.connections, used + 1);
      writeFileSync(caFile, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
      await assert.rejects(read(), code("Unavailable"));
      writeFileSync(caFile, plane.config.caPem);
      await read();
    } finally {
      await rotating.config.close();
      await proxy.stop();
    }
  });

  test("gives up after its bound where no answer comes, and at once when told to", async () => {
    const { proxy, kubeconfig } = await proxiedKubeconfig(plane);
    const config = loadKubeConfig({ kubeconfig });
    const hasty = createKubeClient(config, { userAgent: "test", requestTimeoutMs: 300 });
    try {
      proxy.frozen = true;
      await assert.rejects(hasty.read(RESOURCES.namespaces, { name: "default" }, signal), code("Unavailable"));
      const stop = new AbortController();
      const read = hasty.read(RESOURCES.namespaces, { name: "default" }, stop.signal);
      const reason = new Error("enough");
      stop.abort(reason);
      await assert.rejects(read, reason);
    } finally {
      await config.close();
      await proxy.stop();
    }
  });

  test("reads a token file that the kubeconfig names, and says what it may not do", async () => {
    await plane.kubectl(["create", "serviceaccount", "reader"]);
    const limited = kubeAccess(await plane.kubeconfigFor({ namespace: "default", name: "reader" }));
    try {
      const error = await errorOf(limited.client.list(RESOURCES.secrets, { namespace: "default" }, signal));
      assert.equal(error.code, "Forbidden");
      assert.match(error.message, /^list secrets default: HTTP 403: Forbidden, User "system:serviceaccount:default:reader" cannot list/);
    } finally {
      await limited.config.close();
    }
  });
});
