import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { startCredentialRecorder } from "../support/processes/stub-api-server.ts";

const signal = new AbortController().signal;

describe("a kubeconfig", () => {
  let server: Awaited<ReturnType<typeof startCredentialRecorder>>;
  let address: string;
  let kubeconfig: string;
  beforeEach(async () => {
    server = await startCredentialRecorder();
    address = JSON.parse(await readFile(server.kubeconfig, "utf8")).clusters[0].cluster.server;
    kubeconfig = path.join(await mkdtemp(path.join(tmpdir(), "kubeconfigs-")), "config");
  });
  afterEach(async () => {
    await server.stop();
    await rm(path.dirname(kubeconfig), { recursive: true });
  });

  interface Written {
    readonly cluster?: object;
    readonly user?: string;
    readonly users?: unknown;
  }

  /** Makes one request with a kubeconfig that has these fields. */
  async function ask({ cluster = {}, user, users = [{ name: "u", user: { token: "tok" } }] }: Written): Promise<void> {
    const content = {
      "current-context": "c",
      clusters: [{ name: "c", cluster: { server: address, "insecure-skip-tls-verify": true, ...cluster } }],
      contexts: [{ name: "c", context: { cluster: "c", user } }],
      users,
    };
    await writeFile(kubeconfig, JSON.stringify(content));
    const config = loadKubeConfig({ kubeconfig });
    try {
      await createKubeClient(config, { userAgent: "test" }).read(RESOURCES.namespaces, { name: "kube-system" }, signal);
    } finally {
      await config.close();
    }
  }

  for (const [what, users] of [
    ["among others", [{ name: "u", user: { token: "tok" } }]],
    ["because there is none", null],
  ] as const) {
    test(`ST8: is refused where its context names a user who is not there, ${what}`, async () => {
      const message = `${kubeconfig}: contexts[c].user: "nobody" is not a user of the kubeconfig; add it to users, or correct the name`;
      await assert.rejects(ask({ user: "nobody", users }), { message });
      assert.deepEqual(server.sent, []);
    });
  }

  for (const [what, written] of [
    ["a context without a user", {}],
    ["a user without credentials", { user: "u", users: [{ name: "u", user: null }] }],
  ] as const) {
    test(`ST8: with ${what} is used without credentials`, async () => {
      await ask(written);
      assert.deepEqual(server.sent, [undefined]);
    });
  }

  const unencrypted = "is not https, so credentials would be sent unencrypted";
  for (const [spelling, problem] of [
    ["localhost:6443", "not an address that begins with https://; write https://<host>:<port>"],
    ["ftp://host", "not an address that begins with https://; write https://<host>:<port>"],
    ["host", "not an address that begins with https://; write https://<host>:<port>"],
    ["http://host", `http://host ${unencrypted}`],
    ["HTTP://host", `HTTP://host ${unencrypted}`],
    [" http://host", ` http://host ${unencrypted}`],
  ] as const) {
    test(`ST9: is refused with the server ${JSON.stringify(spelling)}`, async () => {
      const advice = problem.includes(unencrypted)
        ? "; instead of the address of kubectl proxy, use the kubeconfig with which it was started"
        : "";
      const message = `${kubeconfig}: clusters[c].server: ${problem}${advice}`;
      await assert.rejects(ask({ cluster: { server: spelling, "insecure-skip-tls-verify": false } }), { message });
    });
  }

  for (const [what, spelled] of [
    ["in capitals", (url: string) => url.replace("http:", "HTTP:")],
    ["with slashes at its end", (url: string) => `${url}//`],
  ] as const) {
    test(`ST9: is used with a server ${what}, as what it means`, async () => {
      await ask({ user: "u", cluster: { server: spelled(address) } });
      assert.deepEqual(server.sent, ["Bearer tok"]);
    });
  }
});
