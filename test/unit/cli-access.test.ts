import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { openCluster } from "../../src/cli/compose.ts";
import { runCli, runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import { aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";

const CONTEXTS = {
  apiVersion: "v1",
  kind: "Config",
  "current-context": "staging",
  clusters: [{ name: "c", cluster: { server: "https://c.invalid" } }],
  users: [{ name: "u", user: {} }],
  contexts: [
    { name: "staging", context: { cluster: "c", user: "u", namespace: "shop-staging" } },
    { name: "production", context: { cluster: "c", user: "u", namespace: "shop" } },
  ],
};

describe("access to the cluster", () => {
  let folder = "";
  let kubeconfig = "";
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "kubeconfig-"));
    kubeconfig = path.join(folder, "config");
    await writeFile(kubeconfig, JSON.stringify(CONTEXTS));
  });
  after(() => rm(folder, { recursive: true }));

  test("is by the context that --context names, else by the current one", async () => {
    const namespaceOf = async (context: string | undefined): Promise<string> => {
      const cluster = await openCluster({ kubeconfig, context }, "test");
      await cluster.close();
      return cluster.namespace;
    };

    assert.deepEqual([await namespaceOf(undefined), await namespaceOf("production")], ["shop-staging", "shop"]);
  });

  for (const [context, advice] of [
    ["producton", "did you mean production?"],
    ["foo", "write one of staging, production"],
  ] as const) {
    test(`of a context that the kubeconfig lacks ends with what it has: ${context}`, async () => {
      await assert.rejects(openCluster({ kubeconfig, context }, "test"), {
        name: "CommandFailure",
        message: `the kubeconfig has no context "${context}"; ${advice}`,
      });
    });
  }

  test("without a kubeconfig is told as that, with what to set, and as JSON where JSON is wanted", async () => {
    const { code, stdout, stderr } = await runCli(["doctor", "-o", "json"]);
    const problem = "no kubeconfig found; set KUBECONFIG, name a file with --kubeconfig, or run in a pod with a ServiceAccount";

    assert.deepEqual([code, stderr], [2, `keyvault-injector doctor: ${problem}\n`]);
    assert.deepEqual(
      { ...JSON.parse(stdout), version: "" },
      { report: "error", format: 1, version: "", command: "doctor", problems: [problem] },
    );
  });
});

describe("N8: a kubeconfig that cannot be read", () => {
  test("is named where KUBECONFIG names it and it is not there", async () => {
    const { stderr } = await runCli(["doctor"], { kubeconfig: "/nonexistent/config" });

    assert.equal(
      stderr,
      "keyvault-injector doctor: KUBECONFIG names /nonexistent/config, which does not exist; name a readable kubeconfig file\n",
    );
  });

  test("N8: is told, where its server is not https, what that would do and which kubeconfig kubectl proxy needs", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "kubeconfig-"));
    const kubeconfig = path.join(folder, "config");
    const server = "http://127.0.0.1:8001";
    await writeFile(kubeconfig, JSON.stringify({ ...CONTEXTS, clusters: [{ name: "c", cluster: { server } }] }));

    const { code, stderr } = await runCli(["doctor"], { kubeconfig });
    await rm(folder, { recursive: true });

    const problem = `clusters[c].server: ${server} is not https, so credentials would be sent unencrypted`;
    const advice = "instead of the address of kubectl proxy, use the kubeconfig with which it was started";
    assert.deepEqual([code, stderr], [2, `keyvault-injector doctor: ${kubeconfig}: ${problem}; ${advice}\n`]);
  });

  test("is told with the line that is malformed, and without what stands there", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "kubeconfig-"));
    const file = path.join(folder, "config");
    await writeFile(file, "apiVersion: v1\nusers:\n  - name: u\n user: {token: hunter2}\n");

    const { stderr } = await runCli(["doctor", "--kubeconfig", file]);
    await rm(folder, { recursive: true });

    assert.match(stderr, /config cannot be read as a kubeconfig \(malformed, line 4: [a-z ]+\); name a readable kubeconfig file\n$/);
    assert.doesNotMatch(stderr, /hunter2/);
  });
});

describe("N9: an API server that does not answer", () => {
  for (const argv of [["doctor"], ["uninstall", "--prepare"], ["explain", "pod/a"], ["explain", "-f", "-"], ["render", "-f", "-"]]) {
    test(`NC-17: is named, with its context, and with --offline where files would do: ${argv.join(" ")}`, async () => {
      const folder = await mkdtemp(path.join(tmpdir(), "kubeconfig-"));
      const kubeconfig = path.join(folder, "config");
      const dead = { ...CONTEXTS, clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }] };
      await writeFile(kubeconfig, JSON.stringify(dead));
      const pod = JSON.stringify(aPod(OPTED_IN));

      const { code, stderr } = await runCli(argv, { kubeconfig, input: pod });
      await rm(folder, { recursive: true });

      const said = "no answer from the API server https://127.0.0.1:1 of context staging (connection refused)";
      const offline = argv.includes("-f") ? "; add --offline to use the files alone" : "";
      const advice = `check the kubeconfig's server, or the network${offline}`;
      assert.deepEqual([code, stderr], [2, `keyvault-injector ${argv[0] ?? ""}: ${said}; ${advice}\n`]);
    });
  }
});

describe("-o json of a report", () => {
  for (const argv of [
    ["doctor", "-o", "json"],
    ["doctor", "-ojson", "--nonsense", "-x"],
    ["doctor", "nonsense", "--output=json"],
    ["explain", "pod/a", "-o", "json"],
    ["grants", "-o=json", "-A", "-n", "a"],
    ["restore", "-o", "json"],
  ]) {
    test(`is JSON where the command fails too: ${argv.join(" ")}`, async () => {
      const { code, output, notes } = await runOffline(argv);
      const { report, command, problems } = JSON.parse(output);

      assert.deepEqual([code, report, command], [2, "error", argv[0]]);
      assert.ok(problems.length > 0);
      assert.deepEqual(
        notes,
        problems.map((problem: string) => `keyvault-injector ${argv[0] ?? ""}: ${problem}`),
      );
    });
  }

  test("NB16: names itself where explain succeeds too", async () => {
    const pod = JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec: { containers: [] } });
    const { report, format, version, explanations } = JSON.parse((await runOffline(["explain", "-f", "-", "-o", "json"], pod)).output);

    assert.deepEqual([report, format, version], ["explain", 1, "9.9.9"]);
    assert.deepEqual(
      explanations.map(({ object }: { object: string }) => object),
      ["pod/a"],
    );
  });

  test("is nothing where manifests are wanted: a pipe must not apply an error", async () => {
    assert.equal((await runOffline(["render", "-o", "json"])).output, "");
  });

  test("is not printed where it was not asked for", async () => {
    assert.equal((await runOffline(["doctor"])).output, "");
  });
});

describe("-A", () => {
  test("is what counts without -n, and contradicts it", async () => {
    for (const command of ["doctor", "grants", "restore"]) {
      const [alone, both] = [await runOffline([command, "-A"]), await runOffline([command, "-A", "-n", "shop"])];

      assert.doesNotMatch(alone.notes.join("\n"), /-A|--all-namespaces/);
      assert.deepEqual(both.notes, [`keyvault-injector ${command}: -A and -n contradict each other; write one of them`]);
    }
  });

  test("NW-L6: as false means the kubeconfig's namespace alone", async () => {
    const objects = { objects: ["secret/db-password"], secrets: { db: { password: "db-password" } } };
    const cluster = heldCluster([
      usedClass("shop", objects),
      usedClass("billing", { ...objects, namespace: "billing" }),
      ...["shop", "billing"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
    ]);
    const planned = async (...argv: string[]) => {
      const { output } = await runOffline(["doctor", "plan", ...argv], "", { cluster });
      return [...output.matchAll(/class (\S+\/\S+)/g)].map(([, name]) => name);
    };

    assert.deepEqual(await planned(), ["billing/billing", "shop/shop"]);
    for (const word of ["--all-namespaces=false", "-A=0"]) assert.deepEqual(await planned(word), ["shop/shop"]);
    assert.deepEqual(await planned("-A=false", "-n", "billing"), ["billing/billing"]);
    assert.deepEqual(await planned("-A=false", "-A"), ["billing/billing", "shop/shop"]);
  });
});
