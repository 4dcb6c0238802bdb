import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { mountedStatus, usedClass, usedSecret } from "../support/fixtures/used-objects.ts";

const VERSION = "a".repeat(32);
const namespace = (name: string): Manifest => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
const OBJECTS = ["secret/db-pass", "cert/tls"];
const CLASS = usedClass("web", { objects: OBJECTS, secrets: { db: { password: "db-pass" } } });
const SECRET = usedSecret("db", { className: "web", objects: `secret/db-pass@${VERSION}` });
const WORLD = [namespace("shop"), namespace("other"), CLASS, SECRET];

async function run(argv: readonly string[], objects: readonly Manifest[] = WORLD) {
  const cluster = heldCluster(objects);
  Object.assign(cluster.kube, { mergePatch: async () => ({}) });
  const { code, output, notes } = await runOffline(argv, "", { cluster });
  return { code, output, said: notes.join("\n") };
}

describe("a class that is named", () => {
  for (const [name, argv, code, said] of [
    [
      "with another namespace than -n is refused",
      ["refresh", "shop/web", "-n", "other"],
      2,
      /-n other and "shop\/web" name different namespaces; write one/,
    ],
    ["with the namespace of -n is that class", ["refresh", "shop/web", "-n", "shop"], 0, /^$/],
    [
      "with another namespace than -n is refused by doctor as well",
      ["doctor", "class", "shop/web", "-n", "other", "--no-vaults"],
      2,
      /different namespaces/,
    ],
    [
      "by a workload is refused as one",
      ["refresh", "deployment/web"],
      2,
      /"deployment\/web" names a Deployment, and no class; write CLASS, NAMESPACE\/CLASS or spc\/CLASS$/,
    ],
    ["by a short name of a workload is, too", ["refresh", "sts/web"], 2, /"sts\/web" names a StatefulSet, and no class/],
    [
      "by an object of a vault is refused with who names that",
      ["refresh", "secret/db-pass"],
      2,
      /"secret\/db-pass" names an object of a vault, and no class: keyvault-injector where secret\/db-pass names/,
    ],
  ] as const satisfies readonly (readonly [string, readonly string[], number, RegExp])[]) {
    test(`P15: ${name}`, async () => {
      const ran = await run(argv);
      assert.equal(ran.code, code, ran.said);
      assert.match(ran.said, said);
    });
  }

  test("P15: in a namespace that is called as a kind is that class", async () => {
    const { code, said } = await run(
      ["refresh", "jobs/web"],
      [namespace("jobs"), usedClass("web", { namespace: "jobs", objects: OBJECTS })],
    );
    assert.deepEqual([code, said], [0, ""]);
  });
});

describe("an object that where is asked for", () => {
  for (const [name, argv, code, said] of [
    ["is called as the help calls it", ["where", "cert/other-one"], 2, /no class names certificate\/other-one$/],
    ["is called so in the plural, too", ["where", "certificates/other-one"], 2, /no class names certificate\/other-one$/],
    [
      "of another type has the one of its name",
      ["where", "key/db-pass"],
      2,
      /no class names key\/db-pass; did you mean secret\/db-pass\?$/,
    ],
    ["may be two words", ["where", "secret", "db-pass"], 0, /^$/],
    ["is one", ["where", "secret/db-pass", "cert/tls"], 2, /where takes one object; leave secret\/db-pass or cert\/tls out/],
    ["may be an identifier", ["where", "https://shop-kv.vault.azure.net/secrets/db-pass"], 0, /^$/],
    ["may be the identifier of a version", ["where", `https://Shop-KV.vault.azure.net/secrets/DB-Pass/${VERSION}`], 0, /^$/],
    ["may be the identifier of a certificate", ["where", "https://shop-kv.vault.azure.net:443/certificates/tls/"], 0, /^$/],
    [
      "of another vault by its identifier is not there",
      ["where", "https://else-kv.vault.azure.net/secrets/db-pass"],
      2,
      /no class names secret\/db-pass of vault else-kv.vault.azure.net$/,
    ],
    [
      "is of one vault",
      ["where", "https://shop-kv.vault.azure.net/secrets/db-pass", "--vault", "else-kv"],
      2,
      /--vault: the object is one of shop-kv.vault.azure.net; leave --vault out/,
    ],
    [
      "by the address of something else is refused with what to write",
      ["where", "https://shop-kv.vault.azure.net/"],
      2,
      /names no object of a vault; write .* https:\/\/VAULT\/secrets\/NAME/,
    ],
  ] as const satisfies readonly (readonly [string, readonly string[], number, RegExp])[]) {
    test(`P15: ${name}`, async () => {
      const ran = await run(argv);
      assert.equal(ran.code, code, ran.said);
      assert.match(ran.said, said);
    });
  }

  test("P15: is called as the help calls it in the answer", async () => {
    const { output } = await run(["where", "cert/tls"]);
    assert.match(output, /^certificate\/tls in https:\/\/shop-kv\.vault\.azure\.net\n/);
  });
});

describe("the calendar of where", () => {
  test("P15: says in which units a time is written", async () => {
    const { code, said } = await run(["where", "--expiring", "2w"]);
    assert.equal(code, 2);
    assert.match(said, /--expiring: "2w" is no time; write days \(30d\), hours \(36h\) or minutes \(90m\)$/);
  });

  for (const [name, objects, said] of [
    ["one object", ["secret/a"], /\n1 object is only mounted: its expiry date is not known\n$/],
    ["more of them", ["secret/a", "secret/b"], /\n2 objects are only mounted: their expiry dates are not known\n$/],
  ] as const) {
    test(`P17: says that the date of ${name} that no Secret has is not known`, async () => {
      const { output } = await run(["where"], [usedClass("web", { objects })]);
      assert.match(output, said);
    });
  }

  test("P17: says nothing of that where the worker follows what is only mounted", async () => {
    const dated = mountedStatus("web", [{ object: "secret/a", version: VERSION, expires: 9_000 }]);
    assert.doesNotMatch((await run(["where"], [usedClass("web", { objects: ["secret/a"] }), dated])).output, /only mounted/);
  });
});

describe("explain of files", () => {
  const explained = async (kind: string, more: object = {}) => {
    const object = JSON.stringify({ apiVersion: "v1", kind, metadata: { name: "shop", ...more } });
    return runOffline(["explain", "-f", "-", "--offline"], object);
  };

  test("P15: puts a Namespace in no namespace, and says what it is good for", async () => {
    const { code, output } = await explained("Namespace");
    assert.equal(code, 0);
    assert.match(
      output,
      /^namespace\/shop: Unsupported .*\n {2}a Namespace makes no pods, and is no class; its annotations count for the pods in it\n/,
    );
  });

  test("P15: names the namespace of an object that is in one", async () => {
    assert.match((await explained("Service", { namespace: "a" })).output, /^service\/shop in namespace a: Unsupported /);
    assert.match((await explained("ClusterRole")).output, /^clusterrole\/shop: Unsupported /);
  });
});
