import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mistakesOn } from "../../src/cli/doctor/checks/namespace-keys.ts";
import { answerText } from "../../src/cli/refresh/answer.ts";
import { unfilledKeys } from "../../src/cli/shared/class-context.ts";
import { unknownAnnotations, unknownAnnotationWarning } from "../../src/domain/injection/unknown-annotations.ts";
import { isPlaceholder, placeholdersIn } from "../../src/domain/placeholder.ts";
import { readServicePrincipal } from "../../src/domain/provider-class/service-principal.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { aPod } from "../support/fixtures/pods.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";

const P = "keyvault-injector.dev";
const namespace = (name: string, annotations: Readonly<Record<string, string>> = {}): Manifest => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, annotations },
});

describe("NW-M1: explain, of a Namespace's inject that nothing reads,", () => {
  const deployment = (annotations: Readonly<Record<string, string>>): Manifest => {
    const template = { metadata: { annotations }, spec: { containers: [{ name: "a", image: "a" }] } };
    return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace: "shop" }, spec: { template } };
  };
  const headline = async (target: string, inject: string, ...objects: readonly Manifest[]): Promise<string> => {
    const cluster = heldCluster([namespace("shop", { [`${P}/inject`]: inject }), ...objects]);
    return (await runOffline(["explain", target], "", { cluster })).output.split("\n")[1] ?? "";
  };
  const podWith = (annotations: Parameters<typeof aPod>[0]): Manifest => {
    const pod = aPod(annotations) as unknown as Manifest; // The API server stores it in this form, except for the name.
    return { ...pod, metadata: { ...pod.metadata, name: "web-1", namespace: "shop" } };
  };

  test("speaks where its author may have meant the pod", async () => {
    assert.match(await headline("pod/web-1", "true", podWith({})), /inject on Namespace shop has no effect/);
    assert.match(await headline("deploy/web", "true", deployment({})), /inject on Namespace shop has no effect/);
  });

  for (const [what, target, inject, object] of [
    ["the pod opts out", "pod/web-1", "true", podWith({ inject: "false" })],
    ["the template opts out", "deploy/web", "true", deployment({ [`${P}/inject`]: "false" })],
    ["only restarts are wanted", "deploy/web", "true", deployment({ [`${P}/restart-on-rotation`]: "true" })],
    ["only restarts are wanted of the pod's workload", "pod/web-1", "true", podWith({ "restart-on-rotation": "true" })],
    ["the Namespace's value is false", "deploy/web", "false", deployment({})],
  ] as const) {
    test(`is silent where ${what}`, async () => {
      assert.doesNotMatch(await headline(target, inject, object), /has no effect/);
    });
  }
});

describe("NW-M5: a class that its namespace lacks", () => {
  const classIn = (where: string, name = "web"): Manifest => ({ ...usedClass(name, { objects: ["secret/a"] }), ...at(where, name) });
  const at = (where: string, name: string) => ({ metadata: { namespace: where, name } });
  const world = (...places: readonly string[]) =>
    heldCluster([namespace("shop"), classIn("shop", "webs"), ...places.map((place) => classIn(place))]);
  const said = async (argv: readonly string[], ...places: readonly string[]): Promise<string> => {
    const { notes, output } = await runOffline(argv, "", { cluster: world(...places) });
    return `${notes.join("\n")}${output}`;
  };

  for (const [places, meant, alsoMeant] of [
    [["pay"], "pay/web", "-n pay"],
    [["pay", "bank"], "bank/web or pay/web", "-n bank or -n pay"],
    [
      ["f", "e", "d", "c", "b", "a", "g"],
      "a/web, b/web, c/web, d/web, e/web or one of 2 more",
      "-n a, -n b, -n c, -n d, -n e or one of 2 more",
    ],
  ] as const) {
    test(`is told with each that has it, before a near name: ${places.join(", ")}`, async () => {
      const text = `SecretProviderClass shop/web does not exist; did you mean ${meant}?`;
      assert.ok((await said(["refresh", "shop/web"], ...places)).includes(text), await said(["refresh", "shop/web"], ...places));
      assert.ok((await said(["doctor", "class", "shop/web", "--no-vaults"], ...places)).includes(text));
      const explained = await said(["explain", "spc/web"], ...places);
      assert.ok(explained.includes(`web does not exist in namespace shop; did you mean the one of ${alsoMeant}?`), explained);
    });
  }

  test("is told with a near name where no namespace has it", async () => {
    assert.match(await said(["refresh", "shop/web"]), /does not exist; did you mean webs\?/);
    assert.match(await said(["explain", "spc/web"]), /does not exist in namespace shop; did you mean webs\?/);
  });
});

describe("NW-M6: a key on a Namespace", () => {
  const reported = (key: string) => mistakesOn(namespace("shop", { [`${P}/${key}`]: "x" })).map(({ fix }) => fix);

  for (const [key, fix] of [
    ["injct", `did you mean ${P}/inject? That belongs on a workload's pod template`],
    ["statuss", "correct or remove it"],
    ["rotate", "correct or remove it"],
    ["service-accounts", `write grants.${P}/service-accounts`],
    ["managed-identity", `write grants.${P}/managed-identity`],
    ["mirrors-from", `write grants.${P}/mirrors-from`],
    ["adoptable-by", "write it on an existing Secret"],
    ["mount-paht", `did you mean ${P}/mount-path?`],
  ] as const) {
    test(`leads to one that does something: ${key}`, () => assert.deepEqual(reported(key), [fix]));
  }

  test("is told by the webhook without one that does nothing there", () => {
    const warned = (key: string) =>
      unknownAnnotations({ [`${P}/${key}`]: "x" }).reported.map((each) => unknownAnnotationWarning(each, "shop"));
    assert.deepEqual(warned("injct"), [`on Namespace "shop", "injct" is not a ${P}/ annotation: correct or remove it`]);
    assert.deepEqual(warned("mount-paht"), ['on Namespace "shop", "mount-paht" is unknown: did you mean "mount-path"?']);
  });
});

describe("NW-L13: a placeholder", () => {
  test("NW-M7: is words in angle brackets, or a variable that nobody replaced, and no secret that has them", () => {
    for (const value of ["<client-id>", " <tenant-Id>\n", "<your client id>", "<a>", "${CLIENT_ID}", " ${tenant_id}\n"])
      assert.ok(isPlaceholder(value), value);
    for (const value of ["<Zx8Q~legacy.password!>", "<1234>", "<>", "<a><b>", "<-a>", `<${"a".repeat(61)}>`, "a<b>"])
      assert.ok(!isPlaceholder(value), value);
    assert.ok(readServicePrincipal({ clientid: btoa("id"), clientsecret: btoa("<Zx8Q~legacy.password!>") }).ok);
  });

  test("S20-3: has digits and underscores, too, unless a client secret may look so", () => {
    for (const value of ["<KEY_VAULT_NAME>", "<vault1>", "<TENANT_ID>", " <CLIENT_ID>\n"]) assert.ok(isPlaceholder(value), value);
    assert.deepEqual(placeholdersIn("https://<ACCOUNT_1>.queue.core.windows.net/x"), ["<ACCOUNT_1>"]);
    const read = (clientid: string, clientsecret: string) => {
      const principal = readServicePrincipal({ clientid: btoa(clientid), clientsecret: btoa(clientsecret) });
      return principal.ok ? undefined : principal.error.field;
    };
    assert.deepEqual([read("<CLIENT_ID>", "s"), read("id", "<client-secret>")], ["data.clientid", "data.clientsecret"]);
    assert.equal(read("id", "<Zx8Q_legacy1>"), undefined);
    assert.deepEqual(unfilledKeys({ clientid: btoa("<CLIENT_ID>"), clientsecret: btoa("<Zx8Q_legacy1>") }), ["clientid"]);
  });

  test("A16: has nothing that a terminal obeys", () => {
    for (const odd of ["\u001b[2J", "\u202e", "\u0007"]) assert.ok(!isPlaceholder(`<client${odd}id>`));
  });
});

test("NW-L16: refresh --wait says to remove what resets its annotation before it is run again", () => {
  const answer = { kind: "open", isTakenBack: true, why: undefined } as const;
  const text = answerText(answer, { ref: { namespace: "shop", name: "web" }, isWaited: true });
  assert.match(text, /; remove the annotation from the manifests of the class, and then run the command again$/);
});

test("NW-M9: the runbook of missing credentials mends a Secret that exists, and begins with all its causes", () => {
  const page = readRepositoryFile("docs/runbooks/CredentialsMissing.md");
  assert.match(page, /--from-env-file=credentials\.env --dry-run=client -o yaml \| kubectl apply -f -$/m);
  assert.match(page.split("\n")[2] ?? "", /placeholder/);
});
