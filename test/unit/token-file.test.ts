import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { RequestContext } from "@kubernetes/client-node";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import { PooledKubeConfig } from "../../src/kube/config.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { TokenFiles } from "../../src/kube/token-file.ts";
import { runCli } from "../support/cli/cli.ts";
import { startCredentialRecorder } from "../support/processes/stub-api-server.ts";

const signal = new AbortController().signal;

describe("a file with a token", () => {
  let server: Awaited<ReturnType<typeof startCredentialRecorder>>;
  let folder: string;
  let file: string;
  let kubeconfig: string;
  beforeEach(async () => {
    server = await startCredentialRecorder();
    folder = await mkdtemp(path.join(tmpdir(), "token-files-"));
    file = path.join(folder, "token");
    kubeconfig = path.join(folder, "config");
    const content = JSON.parse(await readFile(server.kubeconfig, "utf8"));
    await writeFile(kubeconfig, JSON.stringify({ ...content, users: [{ name: "stub", user: { tokenFile: "token", token: "beside" } }] }));
  });
  afterEach(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  /** Makes one request for each content of the file, as a process that keeps running. */
  async function ask(...contents: readonly (string | Buffer)[]): Promise<void> {
    const config = loadKubeConfig({ kubeconfig });
    const client = createKubeClient(config, { userAgent: "test" });
    try {
      for (const content of contents) {
        await writeFile(file, content);
        await client.read(RESOURCES.namespaces, { name: "kube-system" }, signal);
      }
    } finally {
      await config.close();
    }
  }

  for (const [what, content] of [
    ["a line break at its end", "tok\n"],
    ["a line break of Windows at its end", "tok\r\n"],
    ["spaces around it", " tok "],
  ] as const) {
    test(`ST6: with ${what} is used as by kubectl, which trims it`, async () => {
      await ask(content);
      assert.deepEqual(server.sent, ["Bearer tok"]);
    });
  }

  test("ST6: is read again while the process runs, because it may rotate", async () => {
    await ask("old\n", "new\n");
    assert.deepEqual(server.sent, ["Bearer old", "Bearer new"]);
  });

  for (const [what, content] of [
    ["empty", ""],
    ["half written, with a byte that no token has", "new\u0000"],
  ] as const) {
    test(`R2-3: ${what} for a moment, because it is written in place, fails no request`, async () => {
      await ask("old\n", content, "new\n");
      assert.deepEqual(server.sent, ["Bearer old", "Bearer old", "Bearer new"]);
    });
  }

  test("R2-3: serves for a minute after it was last readable, and no longer", async () => {
    let now = 0;
    const files = new TokenFiles(() => now);
    await writeFile(file, "tok\n");
    const user = { name: "stub", tokenFile: file };
    assert.equal(files.tokenOf(user), "tok");
    await rm(file);
    now = 60_000;
    assert.equal(files.tokenOf(user), "tok");
    now = 60_001;
    assert.throws(() => files.tokenOf(user), { code: "ENOENT" });
  });

  for (const [what, content, problem] of [
    ["that is empty", "", "is empty"],
    ["with only a line break", "\n", "is empty"],
    ["in UTF-16, as PowerShell writes it", Buffer.from("\uFEFFtok\r\n", "utf16le"), "contains something other than a token"],
  ] as const) {
    test(`ST6: ${what} is named, and no request leaves without it`, async () => {
      const message = `get namespaces kube-system: no credentials for the API server (${file} ${problem}); check the kubeconfig's user`;
      await assert.rejects(ask(content), { message });
      assert.deepEqual(server.sent, []);
    });
  }

  test("ST6: that is empty is told on the command line, and the network is not blamed", async () => {
    await writeFile(file, "\n");
    const { code, stderr } = await runCli(["where"], { kubeconfig });
    assert.equal(code, 2);
    assert.match(stderr, /no credentials for the API server \(\S+token is empty\); check the kubeconfig's user\n$/);
  });

  test("ST6: of the pod's ServiceAccount is read the same way", async () => {
    const account = path.join(folder, "var/run/secrets/kubernetes.io/serviceaccount");
    await mkdir(account, { recursive: true });
    await Promise.all([writeFile(path.join(account, "token"), "tok\n"), writeFile(path.join(account, "ca.crt"), "")]);
    const config = new PooledKubeConfig();
    config.loadFromCluster(folder);
    const context = new RequestContext("https://api", "GET");
    await config.authenticate(context, "requests");
    await config.close();
    assert.equal(context.getHeaders()["Authorization"], "Bearer tok");
  });
});
