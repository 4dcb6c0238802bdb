import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { openCluster } from "../../src/cli/compose.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { runCli } from "../support/cli/cli.ts";
import { type StubApiServer, sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";

type Headers = Readonly<Record<string, readonly string[]>>;

const signal = new AbortController().signal;

/** The headers that carry the identity of the request. */
function identityIn(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => /^(?:authorization$|impersonate-)/.test(name)));
}

describe("a kubeconfig, as kubectl 1.36 reads it,", () => {
  let server: StubApiServer;
  let folder: string;
  let asked: Headers[];
  let cluster: object;
  beforeEach(async () => {
    asked = [];
    server = await startStubApiServer((_request, response) => {
      asked.push(identityIn(response.req.headersDistinct as Headers)); // None of the values is undefined.
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

  const dev = (context: unknown) => config({ contexts: [...config().contexts, { name: "dev", context }] });

  for (const [what, content] of [
    ["a context without a cluster", () => dev({ namespace: "x" })],
    ["a context that is null", () => dev(null)],
    ["a cluster without a server", () => config({ clusters: [...config().clusters, { name: "d", cluster: { server: "" } }] })],
    ["a user without a name", () => config({ users: [...config().users, { user: { token: "x" } }] })],
  ] as const) {
    test(`SW6: is read beside ${what} that is not used`, async () => {
      assert.deepEqual(await ask(await write("config", content())), { authorization: ["Bearer tok"] });
    });
  }

  for (const [what, content, problem] of [
    [
      "a context without a cluster",
      () => ({ ...dev({ namespace: "x" }), "current-context": "dev" }),
      'current-context: "dev" is not a context that names a cluster; set it to one of c',
    ],
    [
      "a context that is not there",
      () => config({ "current-context": "gone" }),
      'current-context: "gone" is not a context that names a cluster; set it to one of c',
    ],
    [
      "a cluster without a server",
      () => config({ clusters: [{ name: "c", cluster: { server: "" } }] }),
      'contexts[c].cluster: "c" is not a cluster with a server; correct its entry in clusters',
    ],
    ["no context", () => config({ "current-context": null }), "current-context: not set; set it to one of c, or name one with --context"],
    ["nothing at all", () => "", "contexts: none names a cluster; use another kubeconfig"],
  ] as const) {
    test(`SW6: says what is wrong with what is used: ${what}`, async () => {
      const file = await write("config", content());
      await assert.rejects(ask(file), { message: `${file}: ${problem}` });
    });
  }

  test("SW6: says where it is no YAML, and nothing of what stands there", async () => {
    const file = await write("config", "kind: Config\nusers: [{token: s3cret\nclusters: }");
    const message = `${file} cannot be read as a kubeconfig (malformed, line 3: deficient indentation); name a readable kubeconfig file`;
    await assert.rejects(ask(file), { message });
  });

  for (const [what, fields, problem] of [
    [
      "says both to verify the server and not to",
      { "certificate-authority-data": "Q0E=" },
      "clusters[c]: insecure-skip-tls-verify contradicts the certificate-authority beside it; remove one of them",
    ],
    [
      "says both, by a file",
      { "certificate-authority": "ca.pem" },
      "clusters[c]: insecure-skip-tls-verify contradicts the certificate-authority beside it; remove one of them",
    ],
    [
      "wants a proxy",
      { "proxy-url": "http://proxy" },
      "clusters[c].proxy-url: the API server is never reached through a proxy; name a kubeconfig that reaches it without one",
    ],
  ] as const) {
    test(`SW8: is refused where it ${what}`, async () => {
      const file = await write("config", config({ clusters: [{ name: "c", cluster: { ...cluster, ...fields } }] }));
      await assert.rejects(ask(file), { message: `${file}: ${problem}` });
    });
  }

  /** Sends a request with KUBECONFIG set to the files, in this order. */
  async function askBy(...files: readonly string[]): Promise<Headers | undefined> {
    const before = process.env["KUBECONFIG"];
    process.env["KUBECONFIG"] = files.join(path.delimiter);
    try {
      return await ask(undefined);
    } finally {
      if (before === undefined) delete process.env["KUBECONFIG"];
      else process.env["KUBECONFIG"] = before;
    }
  }

  test("SW7: is several files of KUBECONFIG, of which any but one may be missing or empty", async () => {
    const [whole, empty, missing] = [await write("whole", config()), await write("empty", ""), path.join(folder, "missing")];
    for (const files of [
      [missing, whole],
      [whole, missing],
      [whole, empty],
      [empty, whole],
    ]) {
      assert.deepEqual(await askBy(...files), { authorization: ["Bearer tok"] }, files.join(" "));
    }
    await assert.rejects(askBy(missing), { message: `KUBECONFIG names ${missing}, which does not exist; name a readable kubeconfig file` });
  });

  test("SW7: is of several files each name's first entry, and the first current context", async () => {
    const other = config({
      "current-context": "other",
      contexts: [{ name: "other", context: { cluster: "c", user: "u2" } }, ...config().contexts],
      users: [
        { name: "u", user: { token: "other" } },
        { name: "u2", user: { tokenFile: "token" } },
      ],
    });
    const [first, second] = [await write("first", config()), await write("second", other)];
    await write("token", "of-a-file");

    assert.deepEqual(await askBy(first, second), { authorization: ["Bearer tok"] });
    assert.deepEqual(await askBy(await write("current", { "current-context": "other" }), second), { authorization: ["Bearer of-a-file"] });
  });

  test("SW7: that is broken is named where it is one of several", async () => {
    const broken = await write("broken", "users: [");
    await assert.rejects(askBy(await write("whole", config()), broken), {
      message: `${broken} cannot be read as a kubeconfig (malformed, line 1: unexpected end of the stream within a flow collection); name a readable kubeconfig file`,
    });
  });

  /** Writes a plugin and a kubeconfig into a folder that is not the working directory. */
  async function plugin(script: string, exec: object = {}): Promise<string> {
    const file = await write("plugin.sh", `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o700);
    const fields = { apiVersion: "client.authentication.k8s.io/v1", command: "./plugin.sh", interactiveMode: "Never", ...exec };
    return write("config", withUser({ exec: fields }));
  }

  const credential = JSON.stringify({
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token: "exectok" },
  });
  const print = `echo '${credential}'`;

  for (const [what, script] of [
    [
      "is told whether it may ask",
      `[ "$KUBERNETES_EXEC_INFO" = '${JSON.stringify({ kind: "ExecCredential", apiVersion: "client.authentication.k8s.io/v1", spec: { interactive: false } })}' ] || exit 1; ${print}`,
    ],
    ["finds the end of its standard input", `cat >/dev/null; ${print}`],
    ["is looked for where the kubeconfig is", print],
    ["may say what it likes on standard error", `echo 'To sign in, open https://microsoft.com/devicelogin' >&2; ${print}`],
  ] as const) {
    test(`SW5: a plugin of it ${what}`, async () => {
      assert.deepEqual(await ask(await plugin(script)), { authorization: ["Bearer exectok"] });
    });
  }

  test("SW5: a plugin of it that asks for that is told of the cluster", async () => {
    const extension = { audience: "a" };
    const informed = await plugin(`echo "$KUBERNETES_EXEC_INFO" > "${folder}/info"; ${print}`, { provideClusterInfo: true });
    const content = JSON.parse(await readFile(informed, "utf8"));
    const extensions = [{ name: "client.authentication.k8s.io/exec", extension }];
    content.clusters[0].cluster = { ...content.clusters[0].cluster, "tls-server-name": "api", extensions };
    await ask(await write("config", content));
    const { server: url } = content.clusters[0].cluster;
    const spec = {
      cluster: { server: url, "tls-server-name": "api", "insecure-skip-tls-verify": true, config: extension },
      interactive: false,
    };
    assert.deepEqual(JSON.parse(await readFile(path.join(folder, "info"), "utf8")).spec, spec);
  });

  test("SW4: what a plugin of it says is seen at once, and its secrets are in no error", async () => {
    const kubeconfig = await plugin("echo 'open https://microsoft.com/devicelogin' >&2; echo '{\"token\": \"s3cret\"}'; exit 3");
    const argv = ["explain", "secretproviderclass/a", "--kubeconfig", kubeconfig];
    const { code, stdout, stderr } = await runCli(argv);
    const [said, failed, ...rest] = stderr.trim().split("\n");

    assert.deepEqual([code, said, rest], [2, "open https://microsoft.com/devicelogin", []]);
    assert.match(
      failed ?? "",
      /the kubeconfig's credential plugin \S+plugin\.sh ended with 3; check the plugin, which says why on standard error$/,
    );
    assert.doesNotMatch(stdout + stderr, /s3cret|network/);
  });

  test("SW4: a plugin of it that is not there is named, with how to install it", async () => {
    const exec = { command: "kubelogin-not-there", installHint: "install kubelogin\nfrom https://aka.ms" };
    await assert.rejects(ask(await plugin("", exec)), {
      message:
        "get namespaces kube-system: the kubeconfig's credential plugin kubelogin-not-there cannot be started (ENOENT): install kubelogin from https://aka.ms",
    });
  });

  for (const [what, script, exec, problem] of [
    ["prints something else", "echo hunter2", {}, "printed no credential; check the plugin"],
    ["has to ask", print, { interactiveMode: "Always" }, "asks for input, but standard input is not a terminal"],
  ] as const) {
    test(`SW4: a plugin of it that ${what} is named`, {
      skip: process.stdin.isTTY && "SKIPPED: standard input is a terminal",
    }, async () => {
      const kubeconfig = await plugin(script, exec);
      const message = `get namespaces kube-system: the kubeconfig's credential plugin ${path.join(folder, "plugin.sh")} ${problem}`;
      await assert.rejects(ask(kubeconfig), { message });
    });
  }

  for (const [what, expires, runs] of [
    ["once for as long as its credential lasts", "2100-01-01T00:00:00Z", 1],
    ["again when its credential has expired", "2000-01-01T00:00:00Z", 2],
  ] as const) {
    test(`SW5: a plugin of it runs ${what}, and never twice at a time`, async () => {
      const status = JSON.stringify({ status: { token: "t", expirationTimestamp: expires } });
      const done = path.join(folder, "running");
      const kubeconfig = await plugin(`mkdir "${done}" || exit 1; echo x >> "${folder}/runs"; rmdir "${done}"; echo '${status}'`);
      const opened = await openCluster({ kubeconfig, context: undefined }, "test");
      const read = () => opened.kube.read(RESOURCES.namespaces, { name: "kube-system" }, signal);
      await Promise.all([read(), read()]);
      await opened.close();
      const lines = (await readFile(path.join(folder, "runs"), "utf8")).trim().split("\n");
      assert.equal(lines.length > 1, runs > 1);
    });
  }
});
