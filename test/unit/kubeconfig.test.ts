import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { openCluster } from "../../src/cli/compose.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { type StubApiServer, sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";

type Headers = Readonly<Record<string, readonly string[]>>;

const signal = new AbortController().signal;

/** Whom the API server is asked as, by the headers that say it. */
function identityIn(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => /^(?:authorization$|impersonate-)/.test(name)));
}

describe("a kubeconfig, as kubectl 1.36 reads it,", () => {
  let server: StubApiServer;
  let folder: string;
  let asked: Headers[];
  let cluster: unknown;
  beforeEach(async () => {
    asked = [];
    server = await startStubApiServer((_request, response) => {
      asked.push(identityIn(response.req.headersDistinct as Headers)); // None of them is undefined.
      sendJson(response, 200, { metadata: { name: "kube-system" } });
    });
    cluster = JSON.parse(await readFile(server.kubeconfig, "utf8")).clusters[0].cluster;
    folder = await mkdtemp(path.join(tmpdir(), "kubeconfigs-"));
  });
  afterEach(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const config = (extra: object = {}) => ({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [{ name: "c", cluster }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    users: [{ name: "u", user: { token: "tok" } }],
    ...extra,
  });
  const withUser = (user: unknown) => config({ users: [{ name: "u", user }] });

  async function write(name: string, content: unknown): Promise<string> {
    const file = path.join(folder, name);
    await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
    return file;
  }

  async function ask(kubeconfig: string | undefined, as?: string): Promise<Headers | undefined> {
    const opened = await openCluster({ kubeconfig, context: undefined }, "test");
    const acting = as === undefined ? opened : await opened.actAs(as);
    await acting.kube.read(RESOURCES.namespaces, { name: "kube-system" }, signal);
    await Promise.all([acting.close(), opened.close()]);
    return asked.at(-1);
  }

  const impersonation = {
    as: "alice",
    "as-groups": ["system:masters", "devs"],
    "as-uid": "42",
    "as-user-extra": { scopes: ["a", "b"], "a/b%": ["c"] },
  };

  test("SW3: acts as the whole of whom it says", async () => {
    assert.deepEqual(await ask(await write("config", withUser({ token: "tok", ...impersonation }))), {
      authorization: ["Bearer tok"],
      "impersonate-user": ["alice"],
      "impersonate-group": ["system:masters", "devs"],
      "impersonate-uid": ["42"],
      "impersonate-extra-scopes": ["a", "b"],
      "impersonate-extra-a%2fb%25": ["c"],
    });
  });

  test("SW3: gives none of its groups to somebody else who is acted as", async () => {
    assert.deepEqual(await ask(await write("config", withUser({ token: "tok", ...impersonation })), "worker"), {
      authorization: ["Bearer tok"],
      "impersonate-user": ["worker"],
    });
  });

  test("SW3: is refused where it acts as groups of nobody", async () => {
    const file = await write("config", withUser({ token: "tok", "as-groups": ["devs"] }));
    await assert.rejects(ask(file), { message: `${file}: users[u]: as-groups, as-uid and as-user-extra need a user; add as` });
  });
});
