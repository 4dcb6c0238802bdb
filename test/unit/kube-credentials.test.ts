import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import type { PooledKubeConfig } from "../../src/kube/config.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { type StubApiServer, sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";

/** Much longer than any wait of a test. */
const LONG_MS = 60_000;

describe("credentials for the API server, as of a plugin in the kubeconfig,", () => {
  let server: StubApiServer;
  let config: PooledKubeConfig;
  beforeEach(async () => {
    server = await startStubApiServer((_request, response) => sendJson(response, 200, { metadata: { name: "kube-system" } }));
    config = loadKubeConfig({ kubeconfig: server.kubeconfig });
  });
  afterEach(async () => {
    await config.close();
    await server.stop();
  });

  const never = (): Promise<void> => new Promise(() => undefined);
  const read = (bounds: { readonly requestTimeoutMs: number; readonly credentialsTimeoutMs: number }, signal: AbortSignal) =>
    createKubeClient(config, { userAgent: "test", ...bounds }).read(RESOURCES.namespaces, { name: "kube-system" }, signal);

  test("C-9: are not waited for when the caller gives up", async () => {
    config.authenticate = never;
    const stop = new AbortController();
    const reading = read({ requestTimeoutMs: LONG_MS, credentialsTimeoutMs: LONG_MS }, stop.signal);
    stop.abort(new Error("stopped"));

    assert.equal(await Promise.race([reading.catch((error: unknown) => String(error)), passed(2_000, "still waiting")]), "Error: stopped");
  });

  test("C-9: are not waited for without an end, and the error says what did not come", async () => {
    config.authenticate = never;
    const reading = read({ requestTimeoutMs: LONG_MS, credentialsTimeoutMs: 50 }, new AbortController().signal);

    const error = await Promise.race([reading.catch((thrown: unknown) => thrown), passed(2_000, "still waiting")]);
    assert.ok(error instanceof KubeError, String(error));
    assert.match(error.message, /no credentials for the API server \(nothing within 50 ms\)/);
    assert.equal(error.code, "Unavailable");
  });

  test("may take longer than a request may, as where somebody signs in with a browser", async () => {
    const usual = config.authenticate.bind(config);
    config.authenticate = async (context, purpose) => {
      await passed(600);
      await usual(context, purpose);
    };

    const answer = await read({ requestTimeoutMs: 500, credentialsTimeoutMs: LONG_MS }, new AbortController().signal);

    assert.equal(answer.kind, "found");
  });
});
