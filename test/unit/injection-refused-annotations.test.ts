import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { decidePod, denialOf } from "../support/webhook/decide-pod.ts";

describe("a bad value", () => {
  const P = "keyvault-injector.dev";
  const long = "x".repeat(300);
  const cases: readonly [Readonly<Record<string, string>>, string][] = [
    [{ inject: "yes" }, `annotation ${P}/inject is "yes": write "true" or "false"`],
    [{ inject: "" }, `annotation ${P}/inject is "": write "true" or "false"`],
    [
      { "secret-provider-class": "Demo" },
      `annotation ${P}/secret-provider-class is "Demo": "Demo" is not a valid object name; write the name of a SecretProviderClass in the pod's namespace, or a comma-separated list of names`,
    ],
    [
      { "secret-provider-class": "a,,b" },
      `annotation ${P}/secret-provider-class is "a,,b": write the name of a SecretProviderClass in the pod's namespace, or a comma-separated list of names`,
    ],
    [{ "secret-provider-class": "a,a" }, `annotation ${P}/secret-provider-class is "a,a": it lists "a" twice; write it once`],
    [
      { "credentials-secret": "My Creds" },
      `annotation ${P}/credentials-secret is "My Creds": write the name of a Secret in the pod's namespace, or "none"`,
    ],
    [{ "mount-path": "secrets" }, `annotation ${P}/mount-path is "secrets": write an absolute path such as "/mnt/secrets-store"`],
    [
      { "mount-path": "/a/../b" },
      `annotation ${P}/mount-path is "/a/../b": a mount path cannot contain ".."; write an absolute path such as "/mnt/secrets-store"`,
    ],
    [
      { "mount-path": "/a:b" },
      `annotation ${P}/mount-path is "/a:b": a mount path cannot contain ":" or control characters; write an absolute path such as "/mnt/secrets-store"`,
    ],
    [
      { "mount-path": "//" },
      `annotation ${P}/mount-path is "//": a mount at the root would hide the container's own files; write an absolute path such as "/mnt/secrets-store"`,
    ],
    [
      { "mount-path": "other=/x" },
      `annotation ${P}/mount-path is "other=/x": "other" is not a class of this pod; write one of akvprovider-demo`,
    ],
    [
      { "volume-name": "a.b" },
      `annotation ${P}/volume-name is "a.b": write a DNS label: at most 63 of a-z, 0-9 and "-", such as "secrets-store-inline"`,
    ],
    [
      { "volume-name": long },
      `annotation ${P}/volume-name is "${"x".repeat(57)}...": write a DNS label: at most 63 of a-z, 0-9 and "-", such as "secrets-store-inline"`,
    ],
    [
      { containers: "a b" },
      `annotation ${P}/containers is "a b": "a b" is not a valid container name; write container names separated by commas, or "-name" to exclude one`,
    ],
    [{ containers: "" }, `annotation ${P}/containers is "": write container names separated by commas, or "-name" to exclude one`],
    [{ containers: "app,-app" }, `annotation ${P}/containers is "app,-app": it both includes and excludes "app"; write one of the two`],
    [{ containers: "-app" }, `annotation ${P}/containers is "-app": it leaves no container to mount into; name at least one`],
    [
      { "secret-provider-class": "a,b", "volume-name": "a=v,b=v" },
      `annotation ${P}/volume-name is "a=v,b=v": b and a get the same volume name "v"; write class=name for each`,
    ],
    [
      { "secret-provider-class": "a,b", "mount-path": "a=/x/y,b=/x" },
      `annotation ${P}/mount-path is "a=/x/y,b=/x": class a would be mounted at "/x/y", inside the mount of class b; write class=path for each, none inside another`,
    ],
    [{ "secret-provider-class": Array.from({ length: 17 }, (_, i) => `c${i}`).join(",") }, "a pod can mount at most 16 classes"],
    [{ "volume-name": "akvprovider-demo=a,akvprovider-demo=b" }, 'it names class "akvprovider-demo" twice; write it once'],
    [{ "volume-name": "akvprovider-demo=a,b" }, '"b" names no class; write one value for all or class=value,class=value'],
  ];
  for (const [annotations, message] of cases) {
    test(`is denied with the fix: ${JSON.stringify(annotations).slice(0, 70)}`, () => {
      const denied = denialOf(aPod({ ...OPTED_IN, ...annotations }));

      assert.ok(denied.endsWith(message), denied);
      assert.ok(denied.startsWith(`InvalidAnnotation: annotation ${P}/`), denied);
    });
  }

  // The policy of the final check trims in Go, too: the webhook and the policy must read the same name.
  test("is trimmed as Go trims: a byte order mark stays, a next-line character goes", () => {
    const patchOf = (space: string) => decidePod(aPod({ inject: "true", "secret-provider-class": `${space}akvprovider-demo${space}` }));

    assert.deepEqual(
      ["\u0085", "\u00a0", "\n", "\ufeff"].map((space) => patchOf(space).reason),
      ["Injected", "Injected", "Injected", "InvalidAnnotation"],
    );
    const decision = patchOf("\ufeff");
    assert.match(decision.kind === "denied" ? decision.message : "", /is "\\ufeffakvprovider-demo\\ufeff": /);
  });

  test("is not what a missing class is: that has its own reason", () => {
    const denied = denialOf(aPod({ inject: "true" }));

    assert.match(denied, /^ClassRequired: annotation keyvault-injector.dev\/secret-provider-class is missing: write the name/);
  });
});

describe("an unknown annotation", () => {
  const misspelt = { ...OPTED_IN, "secret-provider-clas": "x" };

  test("is a warning with the nearest known one", () => {
    const decision = decidePod(aPod(misspelt));

    assert.ok(decision.kind === "patched");
    assert.deepEqual(decision.warnings, [
      '"secret-provider-clas" is not a keyvault-injector.dev/ annotation: did you mean "secret-provider-class"?',
    ]);
  });

  test("warns on a pod that is not opted in because of it", () => {
    const decision = decidePod(aPod({ Inject: "true" }));

    assert.deepEqual(decision, {
      kind: "unchanged",
      reason: "NotOptedIn",
      warnings: ['"Inject" is not a keyvault-injector.dev/ annotation: did you mean "inject"?'],
    });
  });

  test("is denied in strict mode", () => {
    const decision = decidePod(aPod(misspelt), { strictAnnotations: true });

    assert.ok(decision.kind === "denied");
    assert.equal(decision.reason, "UnknownAnnotation");
    assert.match(decision.message, /did you mean keyvault-injector.dev\/secret-provider-class\?/);
  });
});
