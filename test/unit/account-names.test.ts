import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { classWarnings } from "../../src/domain/preflight/class-warnings.ts";
import { serviceAccountName } from "../../src/domain/sync/identity-names.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import { classOf, opaque } from "../support/worker/sync-world.ts";

const VAULT = { vault: "demo-vault", tenantId: "00000000-0000-4000-8000-000000000001" };
const ANNOTATION = "keyvault-injector.dev/service-account";
const GRANT = "grants.keyvault-injector.dev/service-accounts";
const RULE = "use lower-case letters, digits, - and ., starting and ending with a letter or digit, at most 253 characters";

const lent = (account: string) =>
  classOf(VAULT, {
    namespace: "shop",
    name: "web",
    objects: ["object"],
    secretObjects: [opaque("app", "object")],
    parameters: { clientID: "00000000-0000-4000-8000-000000000002" },
    annotations: { [ANNOTATION]: account },
  });

/** A cluster with the grants that the Namespace already has, and a class whose account has no grant yet. */
const worldOf = (account: string, granted?: string) => {
  const annotations = granted === undefined ? {} : { [GRANT]: granted };
  const other = lent("cart");
  return heldCluster([
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", annotations } },
    { ...lent(account) },
    { ...other, metadata: { ...other.metadata, name: "other" } },
  ]);
};

const NAMES = [
  ["<service-account>", "write the name of a ServiceAccount in place of <service-account>"],
  ["Web", `"Web" is not the name of a ServiceAccount; ${RULE}`],
  ["a b;reboot", `"a b;reboot" is not the name of a ServiceAccount; ${RULE}`],
  ["", `"" is not the name of a ServiceAccount; ${RULE}`],
] as const;

describe("NW-H2: a name that no ServiceAccount can have", () => {
  for (const [name, what] of NAMES) {
    const problem = `annotation ${ANNOTATION}: ${what}`;

    test(`is warned of, refused by the worker, and told by doctor: ${JSON.stringify(name)}`, async () => {
      assert.deepEqual(
        classWarnings(lent(name), { cloudName: "AzurePublicCloud" }).map(({ message }) => message),
        [problem],
      );
      assert.deepEqual(serviceAccountName({ provider: lent(name), consumerAccounts: ["web"] }), { ok: false, error: problem });
      const { output } = await runOffline(["doctor", "plan"], "", { cluster: worldOf(name) });
      assert.ok(output.includes(problem), output);
    });

    test(`is granted in no format, while another account of the Namespace is: ${JSON.stringify(name)}`, async () => {
      const listed = async (format: string) => (await runOffline(["grants", "-o", format], "", { cluster: worldOf(name) })).output;
      assert.match(await listed("text"), new RegExp(`^ {2}kubectl annotate namespace shop --overwrite ${GRANT}=cart$`, "m"));
      assert.ok((await listed("text")).includes(`No grant solves these:\n  shop/web: ${problem}`), await listed("text"));
      assert.deepEqual(
        JSON.parse(await listed("json")).missing.map(({ accounts }: { accounts: unknown }) => accounts),
        [["cart"]],
      );
      assert.match(await listed("yaml"), new RegExp(`service-accounts: "?cart"?\n`));
    });
  }

  test("is not kept beside a new grant", async () => {
    const { output } = await runOffline(["grants"], "", { cluster: worldOf("web.eu-1", "<service-account>,shelf,$(reboot)") });
    assert.match(output, new RegExp(`--overwrite ${GRANT}=cart,shelf,web\\.eu-1$`, "m"));
  });

  test("is none of those that accounts have", () => {
    for (const name of ["web", "web.eu-1", "0"]) {
      assert.deepEqual(classWarnings(lent(name), { cloudName: "AzurePublicCloud" }), []);
      assert.deepEqual(serviceAccountName({ provider: lent(name), consumerAccounts: [] }), { ok: true, value: name });
    }
  });
});

test("AT20-5: what grants prints to accept a copy accepts none that another class offers", async () => {
  const from = "grants.keyvault-injector.dev/mirrors-from";
  const offering = (namespace: string) => {
    const { metadata, ...spc } = lent("web");
    return { ...spc, metadata: { ...metadata, namespace, annotations: { "keyvault-injector.dev/mirror-to": "payments" } } };
  };
  const namespaces = ["shop", "evil", "payments"].map((name) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, annotations: name === "payments" ? { [from]: "platform/tls" } : {} },
  }));
  const { output } = await runOffline(["grants"], "", { cluster: heldCluster([...namespaces, offering("shop"), offering("evil")]) });

  assert.deepEqual(output.match(/kubectl annotate namespace payments .*/g), [
    `kubectl annotate namespace payments --overwrite ${from}=platform/tls,evil/web`,
    `kubectl annotate namespace payments --overwrite ${from}=platform/tls,shop/web`,
  ]);
});

test("NW-H2: what grants prints for a shell is one word there, whatever a Namespace has", async () => {
  const offering = lent("web");
  const cluster = heldCluster([
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", annotations: { [GRANT]: "web" } } },
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "team", annotations: { "grants.keyvault-injector.dev/mirrors-from": "a'$(reboot)'" } },
    },
    {
      ...offering,
      metadata: { ...offering.metadata, annotations: { [ANNOTATION]: "web", "keyvault-injector.dev/mirror-to": "team" } },
    },
  ]);
  const { output } = await runOffline(["grants"], "", { cluster });
  assert.ok(output.includes(String.raw`--overwrite 'grants.keyvault-injector.dev/mirrors-from=a'\''$(reboot)'\'',shop/web'`), output);
});
