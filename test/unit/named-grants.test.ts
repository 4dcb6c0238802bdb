import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { accountOf } from "../../src/cli/doctor/class/identity.ts";
import { accountRefusal, NO_GRANTS } from "../../src/domain/grants/namespace-grants.ts";
import { managedIdentityRefusal } from "../../src/domain/provider-class/operator-limits.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import { holding } from "../support/worker/held-objects.ts";
import { classOf, opaque } from "../support/worker/sync-world.ts";

const VAULT = { vault: "demo-vault", tenantId: "00000000-0000-4000-8000-000000000001" };
const ACCOUNTS = "grants.keyvault-injector.dev/service-accounts";
const IDENTITY = "grants.keyvault-injector.dev/managed-identity";

const classWith = (
  namespace: string,
  name: string,
  parameters: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>> = {},
) => classOf(VAULT, { namespace, name, objects: ["object"], secretObjects: [opaque(`of-${name}`, "object")], parameters, annotations });
const lent = (account: string, namespace = "shop") =>
  classWith(namespace, account, { clientID: "client" }, { "keyvault-injector.dev/service-account": account });
const ofTheNode = (namespace: string) => classWith(namespace, "zzz", { useVMManagedIdentity: "true" });
const namespaceOf = (name: string) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name, annotations: {} } });

/** A tenant wrote the class zzz beside the classes that an administrator wants to grant. */
const OBJECTS = [
  namespaceOf("node"),
  namespaceOf("shop"),
  { ...lent("cart") },
  { ...lent("web") },
  { ...ofTheNode("shop") },
  { ...ofTheNode("node") },
];

/** Returns the output of the command, and the annotations that it writes, by Namespace. */
async function granted(...args: readonly string[]) {
  const cluster = heldCluster(OBJECTS);
  const patches: Record<string, unknown> = {};
  const mergePatch = async (_: unknown, { name }: { name: string }, patch: { metadata: { annotations: unknown } }) => {
    patches[name] = patch.metadata.annotations;
  };
  const kube = Object.assign(cluster.kube, { mergePatch });
  return { ...(await runOffline(["grants", ...args], "", { cluster: { ...cluster, kube } })), patches };
}

describe("AT20-1: a grant", () => {
  test("AT20-1: is of the one account that an advice names, whatever other classes ask for", async () => {
    const advice = accountRefusal(NO_GRANTS, { namespace: "shop", name: "cart" }) ?? "";
    assert.match(advice, /run: keyvault-injector grants --namespace shop --account cart --apply$/);
    const viewer = holding([
      namespaceOf("shop"),
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace: "shop", name: "cart" } },
    ]);
    const context = { viewer, install: { settings: {} } } as unknown as Parameters<typeof accountOf>[0]; // The function reads nothing else.
    const account = await accountOf(context, lent("cart"));
    assert.equal(account.ok || account.error.fix, "Run keyvault-injector grants --namespace shop --account cart --apply.");

    const { code, output, patches } = await granted("--namespace", "shop", "--account", "cart", "--apply");

    assert.deepEqual(patches, { shop: { [ACCOUNTS]: "cart" } });
    assert.equal(code, 0);
    assert.doesNotMatch(output, /web|zzz/);
  });

  test("AT20-1: is of the node's identity alone where the advice is about that", async () => {
    const refusal = managedIdentityRefusal({ managedIdentityNamespaces: [] }, { namespace: "shop", isGranted: false });
    assert.match(refusal?.hint ?? "", /with: keyvault-injector grants --namespace shop --managed-identity --apply$/);

    const { code, patches } = await granted("--namespace", "shop", "--managed-identity", "--apply");

    assert.deepEqual([code, patches], [0, { shop: { [IDENTITY]: "allowed" } }]);
  });

  test("AT20-1: is never of the node's identity unless it is named, and the output says where classes ask for it", async () => {
    const { code, output, patches } = await granted("--apply");

    assert.deepEqual(patches, { shop: { [ACCOUNTS]: "cart,web" } });
    assert.match(output, /^Granted on Namespace shop\.$/m);
    assert.match(output, /--apply does not grant the managed identity of the worker's node without --managed-identity/);
    assert.match(output, /^ {2}keyvault-injector grants --namespace node --managed-identity --apply$/m);
    assert.equal(code, 1, "something is missing still");
    const { left } = JSON.parse((await granted("--apply", "-o", "json")).output) as { readonly left: unknown }; // The documentation specifies this form.
    assert.deepEqual(left, [
      { namespace: "node", managedIdentity: true },
      { namespace: "shop", managedIdentity: true },
    ]);
  });

  test("is of several things that are named", async () => {
    const { patches } = await granted("--account", "cart", "--account", "web", "--managed-identity", "--apply");

    assert.deepEqual(patches, { node: { [IDENTITY]: "allowed" }, shop: { [ACCOUNTS]: "cart,web", [IDENTITY]: "allowed" } });
  });

  test("AT20-1: of an account and of the node's identity are in no command together", async () => {
    const { output, patches } = await granted();

    assert.deepEqual(patches, {});
    assert.match(output, new RegExp(`^ {2}kubectl annotate namespace shop --overwrite ${ACCOUNTS}=cart,web$`, "m"));
    assert.match(output, new RegExp(`^ {2}kubectl annotate namespace shop --overwrite ${IDENTITY}=allowed$`, "m"));
  });

  test("of an account that nothing uses is refused, and nothing else is granted", async () => {
    const { code, notes, patches } = await granted("--account", "cart", "--account", "crat", "--apply");

    assert.deepEqual([code, patches], [2, {}]);
    assert.deepEqual(notes, [
      "keyvault-injector grants: --account: no synced class or event queue uses the ServiceAccount crat; did you mean cart?",
    ]);
  });

  test("AT20-1: is named by the runbook and by the policy, too", () => {
    const textOf = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
    const runbook = textOf("docs/runbooks/IdentityUnavailable.md");
    assert.match(runbook, /keyvault-injector grants --namespace shop --account web --apply/);
    for (const path of ["docs/runbooks/IdentityUnavailable.md", "docs/how-to/rotate-in-seconds.md"])
      assert.doesNotMatch(textOf(path), /grants --namespace \S+ --apply/, path);
    assert.match(textOf("manifests/policies/sync-tokens.yaml"), /" --account " \+ request\.name \+ " --apply"/);
  });
});
