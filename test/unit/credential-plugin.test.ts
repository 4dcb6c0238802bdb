import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import type { PooledKubeConfig } from "../../src/kube/config.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { createTransport, type Transport } from "../../src/kube/transport.ts";
import { type StubApiServer, sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";
import { eventually } from "../support/time/eventually.ts";

const signal = new AbortController().signal;
const call = { attempt: { verb: "get", resource: RESOURCES.namespaces }, method: "GET", path: "/api/v1/namespaces" } as const;

describe("a credential plugin of a kubeconfig", () => {
  let folder: string;
  let server: StubApiServer;
  let config: PooledKubeConfig;
  let transport: Transport;
  /** Tokens that the API server does not take. */
  let refused: string[];
  /** Answers that the API server holds back, by the token that was sent. */
  let held: Map<string, ServerResponse> | undefined;
  let asked: string[];
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "credential-plugins-"));
    [refused, asked, held] = [[], [], undefined];
    server = await startStubApiServer((_request, response) => {
      const token = response.req.headers.authorization?.replace("Bearer ", "") ?? "none";
      asked.push(token);
      if (held === undefined) sendJson(response, refused.includes(token) ? 401 : 200, {});
      else held.set(token, response);
    });
  });
  afterEach(async () => {
    await config.close();
    await server.stop();
    await rm(folder, { recursive: true });
  });

  /** Runs the script as the plugin. `$n` is the number of its run. */
  async function begin(script: string): Promise<void> {
    const file = path.join(folder, "plugin.sh");
    await writeFile(file, `#!/bin/sh\necho x >> "${folder}/runs"\nn=$(($(wc -l < "${folder}/runs")))\n${script}\n`);
    await chmod(file, 0o700);
    const content = JSON.parse(await readFile(server.kubeconfig, "utf8"));
    content.users[0].user = { exec: { apiVersion: "client.authentication.k8s.io/v1", command: file, interactiveMode: "Never" } };
    await writeFile(path.join(folder, "config"), JSON.stringify(content));
    config = loadKubeConfig({ kubeconfig: path.join(folder, "config") });
    transport = createTransport(config, { userAgent: "test" });
  }

  const runs = async (): Promise<number> => (await readFile(path.join(folder, "runs"), "utf8")).trim().split("\n").length;
  const statusOfCall = async (): Promise<number> => (await transport.call(call, signal)).status;
  const statusOfWatch = async (): Promise<number> => {
    const stream = await transport.open(call, signal);
    await stream.text();
    return stream.status;
  };

  const TOKEN = `echo '{"status":{"token":"t'$n'"}}'`;

  for (const [what, status] of [
    ["a request", statusOfCall],
    ["a watch", statusOfWatch],
  ] as const) {
    test(`CW-10: runs again after a 401, at the next of its kind: ${what}`, async () => {
      await begin(TOKEN);
      assert.deepEqual([await status(), await status()], [200, 200]);
      refused = ["t1"];
      assert.deepEqual([await status(), await status(), await status()], [401, 200, 200]);
      assert.deepEqual(asked, ["t1", "t1", "t1", "t2", "t2"]);
      assert.equal(await runs(), 2);
    });
  }

  test("CW-10: runs once for all requests that were refused with one credential", async () => {
    await begin(TOKEN);
    refused = ["t1"];
    await statusOfCall();
    assert.deepEqual(await Promise.all([statusOfCall(), statusOfCall(), statusOfWatch()]), [200, 200, 200]);
    assert.equal(await runs(), 2);
  });

  test("CW-10: does not run for a late 401 of an earlier credential, even if it printed the same one again", async () => {
    await begin(`echo '{"status":{"token":"same"}}'`);
    held = new Map();
    const late = statusOfCall();
    const answer = await eventually(() => held?.get("same"));
    held = undefined;
    refused = ["same"];
    assert.equal(await statusOfCall(), 401);
    refused = [];
    assert.equal(await statusOfCall(), 200);
    sendJson(answer, 401, {});
    assert.deepEqual([await late, await statusOfCall()], [401, 200]);
    assert.equal(await runs(), 2);
  });

  test("CW-10: runs once for each credential that is refused, and never by itself", async () => {
    await begin(TOKEN);
    refused = ["t1", "t2", "t3"];
    assert.deepEqual([await statusOfCall(), await statusOfCall(), await statusOfCall()], [401, 401, 401]);
    assert.equal(await runs(), 3);
  });

  test("CW-10: runs again after a 401 for a client certificate", async () => {
    await begin(`echo '{"status":{"clientCertificateData":"c'$n'","clientKeyData":"k"}}'`);
    refused = ["none"];
    await statusOfCall();
    refused = [];
    assert.equal(await statusOfCall(), 200);
    assert.equal(await runs(), 2);
  });

  test("keeps its credential after any other refusal (control)", async () => {
    await begin(TOKEN);
    held = new Map();
    const first = statusOfCall();
    sendJson(await eventually(() => held?.get("t1")), 403, {});
    held = undefined;
    assert.deepEqual([await first, await statusOfCall()], [403, 200]);
    assert.equal(await runs(), 1);
  });

  for (const [what, script] of [
    ["", "head -c 1048577 /dev/zero | tr '\\0' s"],
    [" and then ends well", "trap 'exit 0' TERM PIPE; head -c 1048577 /dev/zero | tr '\\0' s; exit 0"],
    [" and never ends", "trap '' TERM; while :; do echo s3cret-s3cret-s3cret-s3cret-s3cret-s3cret-s3cret-s3cret || exit 1; done"],
  ] as const) {
    test(`CW-11: that prints too much${what} is ended, and the error says the limit and no word of it`, async () => {
      await begin(script);
      const plugin = path.join(folder, "plugin.sh");
      const message = `get namespaces: the kubeconfig's credential plugin ${plugin} printed more than 1048576 characters and was ended; make it print an ExecCredential and nothing else on standard output`;
      await assert.rejects(statusOfCall(), { message });
    });
  }

  for (const [what, script] of [
    ["ignores the signal to end", "trap '' TERM"],
    ["leaves a program behind that ignores it", "(trap '' TERM; exec sleep 60) &"],
  ] as const)
    test(`PK: that ${what} does not outlast the command`, async () => {
      await begin(`${script}\necho $$ > "${folder}/pid"\nwhile :; do sleep 0.05; done`);
      const failed = assert.rejects(statusOfCall(), /ended with SIG/);
      const pid = await eventually(async () => Number(await readFile(path.join(folder, "pid"), "utf8")) || undefined, {
        what: "the plugin's start",
      });
      await config.close();
      await eventually(() => !isRunning(pid), { what: "the end of the plugin", within: 10_000 });
      await failed;
    });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
