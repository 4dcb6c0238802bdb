import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { deprecationOf } from "../../src/cli/manifest/class-item.ts";
import { readManifests } from "../../src/cli/manifest/documents.ts";
import { unifiedDiff } from "../../src/cli/shared/diff.ts";
import { runOffline } from "../support/cli/cli.ts";
import { at, listAt } from "../support/cluster/shipped-manifests.ts";
import { aClass, aPod, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";

const render = (...objects: readonly unknown[]) =>
  runOffline(["render", "--offline", "-f", "-"], objects.map((object) => JSON.stringify(object)).join("\n---\n"));
const documentsOf = (output: string): readonly unknown[] => readManifests("-", output).documents.map(({ object }) => object);
const CREDENTIALS = ["spec", "volumes", 0, "csi", "nodePublishSecretRef", "name"] as const;

describe("render", () => {
  test("SW2: takes a class in the older version that is served, warns of that as the API server does, and of its mistakes", async () => {
    const older = "secrets-store.csi.x-k8s.io/v1alpha1";
    const { code, output, notes } = await render({ ...aClass({ keyvaultname: "shop" }), apiVersion: older }, aPod(OPTED_IN));
    const [asWritten, pod] = documentsOf(output);

    assert.equal(code, 0);
    assert.equal(at(asWritten, "apiVersion"), older);
    assert.ok(at(pod, ...CREDENTIALS) !== undefined);
    assert.match(notes.join("\n"), /v1alpha1 is deprecated\. Use secrets-store\.csi\.x-k8s\.io\/v1 instead\./);
    assert.match(notes.join("\n"), /keyvaultname/);
    assert.doesNotMatch(notes.join("\n"), /not in these files/);
  });

  test("SW2: warns of the older version in the words of our own definition", () => {
    const [definition] = readManifests("crd", readFileSync("manifests/crds/secretproviderclasses.yaml", "utf8")).documents;
    const versions = listAt(definition?.object, "spec", "versions");
    const said = versions.map((version) =>
      deprecationOf({ object: { apiVersion: `secrets-store.csi.x-k8s.io/${String(at(version, "name"))}` } }),
    );

    const words = versions.map((version) => at(version, "deprecationWarning"));
    assert.deepEqual(said, words);
  });

  test("adds to a pod what the webhook adds, and leaves the rest in its order", async () => {
    const { code, output, notes } = await render(aClass(), aPod(OPTED_IN));
    const [provider, pod] = documentsOf(output);

    assert.equal(code, 0);
    assert.deepEqual(provider, aClass());
    assert.equal(at(pod, ...CREDENTIALS), "secrets-store-creds");
    assert.equal(at(pod, "metadata", "labels", "keyvault-injector.dev/injected"), "true");
    assert.deepEqual(JSON.parse(String(at(pod, "metadata", "annotations", "keyvault-injector.dev/status"))).version, "9.9.9");
    assert.deepEqual(Object.keys(Object(pod)), Object.keys(aPod(OPTED_IN)));
    assert.ok(!notes.join("\n").includes("could not be read"), notes.join("\n"));
  });

  test("takes the class's identity from the files, whatever their order", async () => {
    const { output } = await render(aPod(OPTED_IN), aClass({ clientID: "an-application" }));

    assert.equal(at(documentsOf(output)[0], ...CREDENTIALS), undefined);
  });

  test("does not take a class of another namespace", async () => {
    const { output, notes } = await render(aPod(OPTED_IN), aClass({ clientID: "an-application" }, "akvprovider-demo", "elsewhere"));

    assert.equal(at(documentsOf(output)[0], ...CREDENTIALS), "secrets-store-creds");
    assert.match(notes.join("\n"), /is not in these files/);
  });

  test("takes defaults from a Namespace among the files", async () => {
    const namespace = {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "default", annotations: { "keyvault-injector.dev/mount-path": "/run/vault" } },
    };

    const { output } = await render(aPod(OPTED_IN), aClass(), namespace);

    assert.equal(at(documentsOf(output)[0], "spec", "containers", 0, "volumeMounts", 0, "mountPath"), "/run/vault");
  });

  test("shows in a CronJob's template what its pods would get, and the same in a List", async () => {
    const { metadata, spec } = aPod(OPTED_IN);
    const job = {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "c" },
      spec: { schedule: "@daily", jobTemplate: { spec: { template: { metadata, spec } } } },
    };

    const alone = documentsOf((await render(job, aClass())).output)[0];
    const listed = documentsOf((await render({ apiVersion: "v1", kind: "List", items: [job, aClass()] })).output)[0];

    assert.equal(listAt(alone, "spec", "jobTemplate", "spec", "template", "spec", "volumes").length, 1);
    assert.equal(at(alone, "metadata", "annotations"), undefined);
    assert.deepEqual(at(listed, "items", 0), alone);
  });

  test("is idempotent", async () => {
    const once = (await render(aClass(), aPod(OPTED_IN))).output;

    assert.equal((await runOffline(["render", "--offline", "-f", "-"], once)).output, once);
  });

  test("prints other objects as they are, keys in their order", async () => {
    const service = { kind: "Service", apiVersion: "v1", spec: { ports: [{ port: 1 }], selector: { a: "yes" } }, metadata: { name: "s" } };

    assert.equal(JSON.stringify(documentsOf((await render(service)).output)[0]), JSON.stringify(service));
  });

  test("ends with 1 where something would be denied, names file, line, object and reason, and leaves that one out", async () => {
    const bad =
      "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    keyvault-injector.dev/inject: maybe\nspec: {containers: [{name: a}]}\n";

    const { code, output, notes } = await runOffline(["render", "--offline", "-f", "web.yaml"], "", { files: { "web.yaml": bad } });

    assert.equal(code, 1);
    assert.deepEqual(
      documentsOf(output).map((each) => at(each, "kind")),
      ["Service"],
    );
    assert.deepEqual(notes, [
      'web.yaml:9: Pod/web: error: annotation keyvault-injector.dev/inject is "maybe": write "true" or "false" (InvalidAnnotation)',
    ]);
  });

  test("refuses what aliases make too large to be printed, however small the file is", async () => {
    const text = (uses: number) => `apiVersion: v1\nkind: A\nx: &x ${"a".repeat(1_000_000)}\ny: [${"*x, ".repeat(uses)}]\n`;
    const ended = (uses: number) => runOffline(["render", "--offline", "-o", "diff", "-f", "-"], text(uses));

    assert.equal((await ended(10)).code, 0);
    assert.match((await ended(300)).notes.join(), /- would take more than 256 MiB to print; split it, or use fewer aliases/);
  });

  test("denies what the API server's own token mount would collide with", async () => {
    const path = "/var/run/secrets/kubernetes.io/serviceaccount";
    const annotations = { ...OPTED_IN, "mount-path": path };

    assert.equal((await render(aClass(), aPod(annotations))).code, 1);
    assert.equal((await render(aClass(), aPod(annotations, { automountServiceAccountToken: false }))).code, 0);
  });

  test("K2: prints what it can read and ends with 2 where a file is no manifest", async () => {
    const files = { "a.yaml": JSON.stringify(aClass()), "b.yaml": "x\n" };
    const { code, output, notes } = await runOffline(["render", "--offline", "-f", "a.yaml", "-f", "b.yaml"], "", { files });
    const alone = await runOffline(["render", "--offline", "-o", "json", "-f", "b.yaml"], "", { files });

    assert.deepEqual({ code, documents: documentsOf(output) }, { code: 2, documents: [aClass()] });
    const problem = "b.yaml:1: error: not a Kubernetes object; write apiVersion, kind and metadata";
    assert.equal(notes[0], problem);
    assert.deepEqual(alone, { code: 2, output: "", notes: [problem] });
  });

  test("warns of a key that stands twice, and fails for it where warnings fail", async () => {
    const text = "apiVersion: v1\nkind: Service\nmetadata: {name: a, name: b}\n";

    const { code, notes } = await runOffline(["render", "--offline", "-f", "-"], text);

    assert.deepEqual(
      [code, notes],
      [0, ['standard input:3: warning: the key "name" occurs twice in a mapping; kubectl uses the last one']],
    );
    assert.equal((await runOffline(["render", "--offline", "--fail-on-warnings", "-f", "-"], text)).code, 1);
  });

  test("K7: prints the digits of integers of 64 bits, in YAML and in JSON, of pods too", async () => {
    const pod = `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "annotations": ${JSON.stringify(prefixed(OPTED_IN))}}, "spec": {"x": 9007199254740993, "containers": [{"name": "a"}]}}`;
    for (const format of ["yaml", "json"]) {
      const { output } = await runOffline(["render", "--offline", "-o", format, "-f", "-"], pod);

      assert.match(output, /"?x"?: 9007199254740993,?\n/);
      assert.ok(output.includes("secrets-store-inline"), output);
    }
  });

  test("K10: takes as many documents as a file has", async () => {
    const count = 130_000;
    const text = "apiVersion: v1\nkind: A\n---\n".repeat(count);

    const ended = await runOffline(["render", "--offline", "-f", "-"], text).catch((error: unknown) => String(error));

    assert.ok(typeof ended === "object", JSON.stringify(ended));
    assert.deepEqual([ended.code, ended.output.split("---\n").length, ended.notes], [0, count, []]);
  });

  test("names a null parameter with its line and the fix", async () => {
    const text =
      "apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: {name: c}\nspec:\n  provider: azure\n  parameters:\n    keyvaultName: vault\n    cloudName:\n    tenantId: t\n    objects: |\n      array:\n        - |\n          objectName: a\n          objectType: secret\n";

    const { code, notes } = await runOffline(["render", "--offline", "-f", "-"], text);

    assert.equal(code, 0);
    assert.equal(notes.length, 1, notes.join("\n"));
    assert.match(
      notes[0] ?? "",
      /^standard input:8: SecretProviderClass\/c: warning: spec\.parameters\.cloudName is null: write cloudName: "" or remove the line\./,
    );
  });

  test("refuses a parameter that is no string, as the API server does, with its line", async () => {
    const text =
      "apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: {name: c}\nspec:\n  provider: azure\n  parameters:\n    usePodIdentity: false\n";

    const { code, output, notes } = await runOffline(["render", "--offline", "-f", "-"], text);

    assert.deepEqual({ code, output }, { code: 1, output: "" });
    assert.match(
      notes[0] ?? "",
      /^standard input:7: SecretProviderClass\/c: error: spec\.parameters\.usePodIdentity is not a string, .*write "false"/,
    );
  });

  test("tells of a pod that opts in where the webhook is not asked, and changes nothing", async () => {
    const pod = {
      ...aPod(OPTED_IN),
      metadata: { name: "a", namespace: "kube-system", annotations: { "keyvault-injector.dev/inject": "true" } },
    };

    const { code, output, notes } = await render(pod);

    assert.equal(code, 0);
    assert.deepEqual(documentsOf(output), [pod]);
    assert.match(notes.join("\n"), /the webhook excludes namespace kube-system/);
  });

  test("survives objects that are none: wrong types wherever something is read", async () => {
    for (const value of [null, 1, "a", [], {}, [null], [[]]]) {
      const objects = [
        { apiVersion: "v1", kind: "Pod", metadata: value, spec: value },
        { apiVersion: "v1", kind: "Pod", metadata: { annotations: value }, spec: { containers: value, volumes: value } },
        { apiVersion: "apps/v1", kind: "Deployment", metadata: value, spec: value },
        { apiVersion: "apps/v1", kind: "Deployment", metadata: {}, spec: { template: value } },
        { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass", metadata: value, spec: value },
        {
          apiVersion: "secrets-store.csi.x-k8s.io/v1",
          kind: "SecretProviderClass",
          metadata: { name: value },
          spec: { parameters: value, secretObjects: value },
        },
        { apiVersion: "v1", kind: "Namespace", metadata: value },
        { apiVersion: "v1", kind: "List", items: value },
      ];
      for (const object of objects) {
        for (const command of ["render", "explain"])
          assert.ok([0, 1, 2].includes((await runOffline([command, "-f", "-"], JSON.stringify(object))).code));
      }
    }
  });

  test("refuses secretObjects that have not the schema's shape, and survives them", async () => {
    for (const secretObjects of [
      1,
      "a",
      {},
      [null],
      [1],
      [{ secretName: 1 }],
      [{ type: {} }],
      [{ labels: [] }],
      [{ labels: { a: 1 } }],
      [{ data: {} }],
      [{ data: [1] }],
      [{ data: [{ key: 1 }] }],
    ]) {
      const { code, notes } = await render({ ...aClass(), spec: { ...aClass().spec, secretObjects } });

      assert.equal(code, 1, JSON.stringify(secretObjects));
      assert.match(notes[0] ?? "", /^standard input:1: SecretProviderClass\/akvprovider-demo: error: spec\.secretObjects must be a list/);
    }
  });

  test("says that no cluster is asked where there is none and --offline is not given", async () => {
    const { code, notes } = await runOffline(["render", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "Service" }));

    assert.deepEqual([code, notes], [0, ["note: no cluster is contacted, as with --offline: no cluster here"]]);
  });

  test("writes one List as JSON", async () => {
    const { output } = await runOffline(["render", "--offline", "-f", "-", "-o", "json"], JSON.stringify(aClass()));

    assert.deepEqual(JSON.parse(output), { apiVersion: "v1", kind: "List", items: [aClass()] });
  });
});

describe("render -o diff", () => {
  const input = `${JSON.stringify(aClass())}\n---\n${JSON.stringify(aPod(OPTED_IN))}`;

  test("shows what changes and nothing of what does not", async () => {
    const { output } = await runOffline(["render", "--offline", "-f", "-", "-o", "diff"], input);
    const added = output.split("\n").filter((line) => line.startsWith("+") && !line.startsWith("+++"));

    assert.ok(!output.includes("SecretProviderClass"));
    assert.ok(added.includes("+  volumes:") && added.includes("+    - name: secrets-store-inline"), output);
    assert.deepEqual(
      output.split("\n").filter((line) => /^-(?!--)/.test(line)),
      [],
    );
    assert.ok(!output.includes("\u001b"));
  });

  test("is coloured on a terminal alone", async () => {
    const { output } = await runOffline(["render", "--offline", "-f", "-", "-o", "diff"], input, { hasColour: true });

    assert.ok(output.includes("\u001b[32m+  volumes:\u001b[39m"), output);
  });

  test("is what turns the one text into the other", () => {
    const texts = ["", "a\n", "a\nb\nc\n", "a\nc\n", "x\nb\nc\ny\n", "a\nb\nb\nb\nc\n", "c\nb\na\n"];
    for (const before of texts) {
      for (const after of texts) {
        const lines = unifiedDiff(before, after, "n").split("\n").slice(2, -1);
        const kept = (sign: string) => lines.filter((line) => line.startsWith(" ") || line.startsWith(sign)).map((line) => line.slice(1));
        if (before === after) assert.deepEqual(lines, []);
        else
          assert.deepEqual(
            [kept("-").join("\n"), kept("+").join("\n")],
            [before, after].map((text) => text.replace(/\n$/, "")),
          );
      }
    }
  });
});
