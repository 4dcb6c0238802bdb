import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { runOffline } from "../support/cli/cli.ts";
import { aClass, aPod, documentPod, OPTED_IN } from "../support/fixtures/pods.ts";

const P = "keyvault-injector.dev";
const renderText = (text: string) => runOffline(["render", "-f", "-"], text);

describe("a field of secretObjects without a value", () => {
  test("is read as one that is not there", async () => {
    const secretObjects = [{ secretName: "db", type: "Opaque", data: null }];
    const { code, notes } = await renderText(JSON.stringify({ ...aClass(), spec: { ...aClass().spec, secretObjects } }));

    assert.equal(code, 0);
    assert.match(notes.join("\n"), /data is empty/);
  });
});

describe("a class that is wrong", () => {
  const pod = aPod(OPTED_IN);
  const explained = (provider: object) =>
    runOffline(["explain", "-f", "-"], [pod, provider].map((each) => JSON.stringify(each)).join("\n---\n"));
  const withSecret = (provider: SecretProviderClass, objectName: string): SecretProviderClass => ({
    ...provider,
    spec: { ...provider.spec, secretObjects: [{ secretName: "app", type: "Opaque", data: [{ objectName, key: "k" }] }] },
  });

  for (const [what, provider, reason, message] of [
    [
      "a parameter that is missing",
      aClass({ keyvaultName: "" }),
      "InvalidClass",
      /keyvaultName is not provided \(spec\.parameters\.keyvaultName: set it/,
    ],
    ["objects that are no YAML", aClass({ objects: "array: [" }), "InvalidObject", /spec\.parameters\.objects/],
    ["no objects", aClass({ objects: "array: []" }), "InvalidObject", /no objects: a mount of this class fails/],
    ["a provider in capitals", { ...aClass(), spec: { ...aClass().spec, provider: "Azure" } }, "InvalidClass", /write "azure"/],
  ] as const) {
    test(`D5: is what is said first of a pod that mounts it, which will not start: ${what}`, async () => {
      const { code, output } = await explained(provider);

      assert.equal(code, 1);
      assert.ok(
        output.startsWith(
          `pod/app in namespace default: ${reason} (the pod will not start)\n  the mount of SecretProviderClass akvprovider-demo fails: `,
        ),
        output,
      );
      assert.match(output, message);
      assert.match(output, new RegExp(`^secretproviderclass/akvprovider-demo in namespace default: ${reason} \\(failing\\)$`, "m"));
    });
  }

  test("N16: has the same reason in its step, once", async () => {
    for (const [provider, reason] of [
      [{ ...aClass(), spec: { ...aClass().spec, provider: "Azure" } }, "InvalidClass"],
      [aClass({ objects: "array: [" }), "InvalidObject"],
    ] as const) {
      const { output } = await explained(provider);
      // One step in the explanation of the pod, and one in that of the class.
      const steps = output.split("\n").filter((line) => line.startsWith("  PROBLEM  class "));

      assert.equal(steps.length, 2, output);
      for (const step of steps) assert.ok(step.endsWith(`(${reason})`), step);
    }
  });

  test("D5: fails for its Secrets alone where mounts of it work", async () => {
    for (const provider of [withSecret(aClass({ usePodIdentity: "true" }), "a"), withSecret(aClass(), "b")]) {
      const { code, output } = await explained(provider);

      assert.equal(code, 1);
      assert.match(output, /^pod\/app in namespace default: Injected \(patched\)$/m);
      assert.match(output, /^secretproviderclass\/akvprovider-demo in namespace default: \w+ \(failing\)$/m);
      assert.match(output, /^ {2}PROBLEM {2}class /m);
    }
  });

  test("D5: is not what has an unknown parameter, or no Secrets to miss", async () => {
    for (const provider of [aClass({ colour: "red" }), aClass({ usePodIdentity: "true" }), withSecret(aClass(), "a")]) {
      const { code, output } = await explained(provider);

      assert.equal(code, 0, output);
      assert.doesNotMatch(output, /PROBLEM|InvalidClass/);
    }
  });

  for (const [what, change, message] of [
    [
      "an annotation",
      { metadata: { name: "a", annotations: { [`${P}/refresh`]: 1 } } },
      `metadata.annotations must be a map of strings; "${P}/refresh" is 1; quote it: "1"`,
    ],
    [
      "a parameter",
      { spec: { ...aClass().spec, parameters: { ...aClass().spec?.parameters, usePodIdentity: false } } },
      "spec.parameters.usePodIdentity is not a string",
    ],
  ] as const) {
    test(`D7: is told by render and by explain where its text is not quoted: ${what}`, async () => {
      const text = JSON.stringify({ ...aClass(), ...change });
      const rendered = await renderText(text);
      const { code, output } = await runOffline(["explain", "-f", "-"], text);

      assert.deepEqual([rendered.code, code], [1, 1]);
      assert.ok(rendered.notes.join("\n").includes(message), rendered.notes.join("\n"));
      assert.ok(output.includes(message), output);
      assert.match(output, /InvalidClass \(failing\)$/m);
    });
  }
});

describe("a container that no volume is mounted into", () => {
  const two = { containers: [{ name: "app" }, { name: "log" }] };

  test("D8: is told as one that sees no file, and why", async () => {
    const left = await runOffline(["explain", "-f", "-"], JSON.stringify(aPod({ ...OPTED_IN, containers: "-log" }, two)));
    const own = await runOffline(
      ["explain", "-f", "-"],
      JSON.stringify({ ...documentPod(), spec: { ...Object(documentPod()["spec"]), ...two } }),
    );

    assert.match(
      left.output,
      /^ {2}warning {2}mount {8}container log sees no file of a class: annotation keyvault-injector\.dev\/containers excludes it$/m,
    );
    assert.match(own.output, /^ {2}warning {2}mount {8}container log sees no file of a class: the pod mounts no class volume into it$/m);
    assert.doesNotMatch(left.output + own.output, /mounts none/);
  });
});
