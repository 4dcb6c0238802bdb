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
      /"deployment\/web" names a Deployment, not a class; write CLASS, NAMESPACE\/CLASS or spc\/CLASS$/,
    ],
    ["by a short name of a workload is, too", ["refresh", "sts/web"], 2, /"sts\/web" names a StatefulSet, not a class/],
    [
      "by an object of a vault is refused with who names that",
      ["refresh", "secret/db-pass"],
      2,
      /"secret\/db-pass" names an object of a vault, not a class: run keyvault-injector where secret\/db-pass to/,
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
    [
      "is called as the help calls it",
      ["where", "cert/other-one"],
      2,
      /no class lists the object certificate\/other-one; the classes list certificate\/tls, secret\/db-pass$/,
    ],
    [
      "is called so in the plural, too",
      ["where", "certificates/other-one"],
      2,
      /no class lists the object certificate\/other-one; the classes list certificate\/tls, secret\/db-pass$/,
    ],
    [
      "of another type has the one of its name",
      ["where", "key/db-pass"],
      2,
      /no class lists the object key\/db-pass; did you mean secret\/db-pass\?$/,
    ],
    [
      "NU6: of a class's name is said to be a class",
      ["where", "web"],
      2,
      /web is a class, not a vault object: run keyvault-injector explain spc\/web -n shop$/,
    ],
    [
      "NU6: with a type is no class",
      ["where", "secret/web"],
      2,
      /no class lists the object secret\/web; the classes list certificate\/tls, secret\/db-pass$/,
    ],
    ["may be two words", ["where", "secret", "db-pass"], 0, /^$/],
    ["is one", ["where", "secret/db-pass", "cert/tls"], 2, /where takes one object; remove secret\/db-pass or cert\/tls/],
    ["may be an identifier", ["where", "https://shop-kv.vault.azure.net/secrets/db-pass"], 0, /^$/],
    ["may be the identifier of a version", ["where", `https://Shop-KV.vault.azure.net/secrets/DB-Pass/${VERSION}`], 0, /^$/],
    ["may be the identifier of a certificate", ["where", "https://shop-kv.vault.azure.net:443/certificates/tls/"], 0, /^$/],
    [
      "of another vault by its identifier is not there",
      ["where", "https://else-kv.vault.azure.net/secrets/db-pass"],
      2,
      /no class lists the object secret\/db-pass of vault else-kv.vault.azure.net; the classes use shop-kv$/,
    ],
    [
      "is of one vault",
      ["where", "https://shop-kv.vault.azure.net/secrets/db-pass", "--vault", "else-kv"],
      2,
      /--vault: the identifier already names shop-kv.vault.azure.net; remove --vault/,
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

describe("NB15: what where is asked for in other words", () => {
  const MANY = usedClass("many", { objects: ["secret/tls"] });

  for (const [name, argv, said, objects] of [
    [
      "a Kubernetes Secret is told with the object that it is created from",
      ["where", "secret/db"],
      /where: db is a Kubernetes Secret, created from secret\/db-pass: run keyvault-injector where secret\/db-pass$/,
      WORLD,
    ],
    [
      "a Kubernetes Secret by its name alone is, too",
      ["where", "db"],
      /where: db is a Kubernetes Secret, created from secret\/db-pass: run keyvault-injector where secret\/db-pass$/,
      WORLD,
    ],
    [
      "a key of that name is not",
      ["where", "key/db"],
      /no class lists the object key\/db; the classes list certificate\/tls, secret\/db-pass$/,
      WORLD,
    ],
    [
      "a name of two objects is told with both",
      ["where", "tls"],
      /where: "tls" is the name of certificate\/tls and secret\/tls; write one of them$/,
      [...WORLD, MANY],
    ],
    [
      "a name of none is told with the one that is meant",
      ["where", "db-pas"],
      /no class lists the object db-pas; did you mean secret\/db-pass\?$/,
      WORLD,
    ],
    [
      "a name of none is told",
      ["where", "other"],
      /no class lists the object other; the classes list certificate\/tls, secret\/db-pass$/,
      WORLD,
    ],
    ["a type alone is no name", ["where", "secret"], /"secret" is a type, but names no object; write secret\/NAME$/, WORLD],
  ] as const satisfies readonly (readonly [string, readonly string[], RegExp, readonly Manifest[]])[]) {
    test(name, async () => {
      const ran = await run(argv, objects);
      assert.equal(ran.code, 2, ran.output);
      assert.match(ran.said, said);
    });
  }

  test("a name that one object has is that object", async () => {
    const [byName, byType] = [await run(["where", "DB-pass"]), await run(["where", "secret/db-pass"])];
    assert.equal(byName.code, 0, byName.said);
    assert.equal(byName.output, byType.output);
  });

  test("doctor takes spc/NAME as doctor class NAME", async () => {
    const argv = ["-n", "shop", "--no-vaults"];
    const [short, long] = [await run(["doctor", "spc/web", ...argv]), await run(["doctor", "class", "web", ...argv])];
    assert.match(short.output, /^class shop\/web\n/);
    assert.deepEqual(short, long);
  });
});

describe("the calendar of where", () => {
  test("P15: says in which units a time is written", async () => {
    const { code, said } = await run(["where", "--expiring", "2w"]);
    assert.equal(code, 2);
    assert.match(said, /--expiring: "2w" is not a time; write days \(30d\), hours \(36h\) or minutes \(90m\)$/);
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
      /^namespace\/shop: Unsupported .*\n {2}a Namespace creates no pods and is not a class; its annotations apply to its pods\n/,
    );
  });

  test("P15: names the namespace of an object that is in one", async () => {
    assert.match((await explained("Service", { namespace: "a" })).output, /^service\/shop in namespace a: Unsupported /);
    assert.match((await explained("ClusterRole")).output, /^clusterrole\/shop: Unsupported /);
  });
});
