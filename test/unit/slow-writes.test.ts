import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type KubeObject, type Lease, RESOURCES } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import type { PooledKubeConfig } from "../../src/kube/config.ts";
import { createLeaderElection } from "../../src/kube/lease.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { aborted } from "../../src/runtime/lifecycle.ts";
import { type StubApiServer, type StubRequest, sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";
import { eventually } from "../support/time/eventually.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const FAST = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 200 };
const UNDER_WAY = 128;

/**
 * Stores a lease, and answers writes to Secrets of the namespace `slow` after a delay, as a slow admission webhook of another
 * project would cause.
 */
class SlowServer {
  slowMs = Number.POSITIVE_INFINITY;
  renewals = 0;
  readonly held: ServerResponse[] = [];
  #lease: Lease = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { namespace: "install", name: "lease", resourceVersion: "1" },
  };

  handle({ method, url, body }: StubRequest, response: ServerResponse): void {
    if (url.pathname.endsWith("/leases"))
      sendJson(response, 200, { kind: "LeaseList", metadata: { resourceVersion: "1" }, items: [this.#lease] });
    else if (url.pathname.includes("/leases/")) this.#answerLease(method, body, response);
    else if (url.pathname.endsWith("/token")) sendJson(response, 201, { kind: "TokenRequest", status: { token: "t" } });
    else if (!url.pathname.includes("/namespaces/slow/")) sendJson(response, 201, body);
    else if (Number.isFinite(this.slowMs)) setTimeout(() => sendJson(response, 201, body), this.slowMs);
    else this.held.push(response);
  }

  #answerLease(method: string, body: unknown, response: ServerResponse): void {
    const patch = body as Lease | undefined; // The election sends this form.
    if (method !== "GET") {
      this.renewals += 1;
      const metadata = { ...this.#lease.metadata, resourceVersion: String(this.renewals + 1) };
      this.#lease = { ...this.#lease, metadata, spec: { ...this.#lease.spec, ...patch?.spec } };
    }
    sendJson(response, 200, this.#lease);
  }
}

function secret(namespace: string, name: string): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { namespace, name } };
}

describe("while Secrets of a namespace take long to be written", () => {
  let slow: SlowServer;
  let server: StubApiServer;
  let config: PooledKubeConfig;
  let worker: KubeClient;
  let stop: AbortController;

  beforeEach(async () => {
    slow = new SlowServer();
    stop = new AbortController();
    server = await startStubApiServer((request, response) => slow.handle(request, response));
    config = loadKubeConfig({ kubeconfig: server.kubeconfig });
    worker = createKubeClient(config, { userAgent: "test", writesAtATime: 32 });
  });
  afterEach(async () => {
    stop.abort();
    await config.close();
    await server.stop();
  });

  const write = (namespace: string, name: string): Promise<unknown> =>
    worker.create(RESOURCES.secrets, secret(namespace, name), { fieldManager: "test" }, stop.signal);

  /** Writes one Secret after the other, without end. */
  async function writeWithoutEnd(index: number): Promise<void> {
    for (let turn = 0; !stop.signal.aborted; turn++) await write("slow", `secret-${index}-${turn}`).catch(() => undefined);
  }

  test("C3: the lease is renewed, whatever waits for a connection", async () => {
    slow.slowMs = 1_000;
    const client = createKubeClient(config, { userAgent: "test", isUrgent: true });
    const options = {
      leases: { namespace: "install", name: "lease" },
      identity: "me",
      fieldManager: "test",
      clock: systemClock,
      logger: recordingLogger(),
    };
    const election = createLeaderElection(client, { ...options, timing: FAST });
    const ended = election
      .run(async (leading) => {
        for (let index = 0; index < UNDER_WAY; index++) writeWithoutEnd(index).catch(() => undefined);
        await aborted(leading);
      }, stop.signal)
      .then(
        () => "stopped",
        (error: unknown) => String(error),
      );
    await eventually(() => slow.renewals > 0, { what: "the lease" });

    // For longer than the lease lasts.
    const isLost = await Promise.race([ended, eventually(() => slow.renewals >= 25, { within: 15_000 }).catch(() => "too few renewals")]);

    assert.equal(isLost, true);
    stop.abort();
    assert.equal(await ended, "stopped");
  });

  test("C3: those of another namespace are written all the same", async () => {
    const waiting = Array.from({ length: UNDER_WAY }, (_, index) => write("slow", `secret-${index}`).catch(() => undefined));
    await eventually(() => slow.held.length >= 16, { what: "writes that hang" });

    const victim = write("quick", "secret").then(() => "written");
    const answer = await Promise.race([victim, eventually(() => false, { within: 3_000 }).catch(() => "waits")]);

    assert.equal(answer, "written");
    stop.abort();
    await Promise.all(waiting);
  });

  test("RC1: a token for one of its accounts, and a review of permissions, do not wait for the writes", async () => {
    const waiting = Array.from({ length: UNDER_WAY }, (_, index) => write("slow", `secret-${index}`).catch(() => undefined));
    await eventually(() => slow.held.length === 16, { what: "writes that hang" });

    const request = { audience: "api://AzureADTokenExchange", expirationSeconds: 600 };
    const token = worker.requestToken({ namespace: "slow", name: "app" }, request, stop.signal).then(() => "token");
    const { selfSubjectAccessReviews } = RESOURCES;
    const review = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", metadata: { name: "", namespace: "slow" } };
    const reviewed = worker.create(selfSubjectAccessReviews, review, { fieldManager: "test" }, stop.signal).then(() => "review");
    const tooLate = eventually(() => false, { within: 3_000 }).catch(() => "waits");

    assert.deepEqual(await Promise.all([token, reviewed].map((answer) => Promise.race([answer, tooLate]))), ["token", "review"]);
    stop.abort();
    await Promise.all(waiting);
  });

  test("RC1: a token is not requested by a process that no longer leads", async () => {
    const fenced = createKubeClient(config, { userAgent: "test", writesAtATime: 32, mayWrite: () => false });
    const request = { audience: "api://AzureADTokenExchange", expirationSeconds: 600 };

    await assert.rejects(fenced.requestToken({ namespace: "slow", name: "app" }, request, stop.signal), { code: "NotLeading" });
  });

  test("RA10: a write whose reason ends while it waits for its turn is not sent", async () => {
    const waiting = Array.from({ length: 16 }, (_, index) => write("slow", `secret-${index}`));
    await eventually(() => slow.held.length === 16, { what: "writes that hang" });
    let isStillDue = true;
    const options = { fieldManager: "test", isStillDue: () => isStillDue };
    const ref = { namespace: "slow", name: "web" };
    const late = worker.mergePatch(RESOURCES.secrets, ref, {}, options, stop.signal);
    const refused = assert.rejects(late, { code: "Conflict", status: 409, mayBeStored: false });
    isStillDue = false;
    for (const response of slow.held.splice(0)) sendJson(response, 201, secret("slow", "any"));
    await Promise.all(waiting);
    await refused;
    assert.equal(slow.held.length, 0, "nothing arrived");
  });

  test("a namespace alone writes sixteen at a time, and all come to their turn", async () => {
    const waiting = Array.from({ length: 40 }, (_, index) => write("slow", `secret-${index}`));
    await eventually(() => slow.held.length === 16, { what: "sixteen writes" });

    let answered = 0;
    await eventually(
      () => {
        for (const response of slow.held.splice(0)) {
          answered += 1;
          sendJson(response, 201, secret("slow", "any"));
        }
        return answered === 40;
      },
      { what: "all writes" },
    );
    await Promise.all(waiting);
  });
});
