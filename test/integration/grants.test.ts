import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type CliOutput, runCli } from "../support/cli/cli.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { at, installShipped, parseManifests } from "../support/cluster/shipped-manifests.ts";
import { setWorkerArguments } from "../support/cluster/worker-arguments.ts";
import { classOf, createClass, opaque } from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const VAULT = { vault: "shop", tenantId: "00000000-0000-0000-0000-000000000001" };
const ACCOUNTS = "grants.keyvault-injector.dev/service-accounts";
const IDENTITY = "grants.keyvault-injector.dev/managed-identity";

let plane: ControlPlane;

const grants = (...args: readonly string[]): Promise<CliOutput> => runCli(["grants", ...args], { kubeconfig: plane.kubeconfigPath });

interface Facts {
  readonly parameters?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly isMirrored?: boolean;
}

async function aClass(namespace: string, name: string, { parameters = {}, annotations = {}, isMirrored = true }: Facts): Promise<void> {
  const secretObjects = isMirrored ? [opaque(`of-${name}`, "object")] : [];
  await createClass(plane, classOf(VAULT, { namespace, name, objects: ["object"], secretObjects, parameters, annotations }));
}

async function aPod(namespace: string, className: string, account: string): Promise<void> {
  await plane.kubectl(["create", "serviceaccount", account, "-n", namespace]);
  const csi = { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass: className } };
  const spec = { serviceAccountName: account, containers: [{ name: "app", image: "app" }], volumes: [{ name: "secrets", csi }] };
  await plane.kubectl(
    ["create", "-f", "-"],
    JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: account, namespace }, spec }),
  );
}

async function annotationsOf(namespace: string): Promise<Readonly<Record<string, string>>> {
  const found: unknown = JSON.parse(await plane.kubectl(["get", "namespace", namespace, "-o", "json"]));
  return (at(found, "metadata", "annotations") ?? {}) as Readonly<Record<string, string>>; // Annotations that the API server returns.
}

const workload = { clientID: "client" };
const lent = (account: string) => ({ parameters: workload, annotations: { "keyvault-injector.dev/service-account": account } });

describe("the command that grants", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    plane = await startControlPlane();
    await installShipped(plane);
    for (const namespace of ["shop", "node", "clear"]) await plane.kubectl(["create", "namespace", namespace]);
    await plane.kubectl(["annotate", "namespace", "shop", `${ACCOUNTS}=earlier`]);
    await aClass("shop", "stated", lent("cart"));
    await aClass("shop", "again", lent("cart"));
    await aClass("shop", "granted", lent("earlier"));
    await aClass("shop", "by-its-pod", { parameters: workload });
    await aPod("shop", "by-its-pod", "shelf");
    await aClass("shop", "by-nobody", { parameters: workload });
    await aClass("node", "of-the-node", { parameters: { useVMManagedIdentity: "true" } });
    await aClass("clear", "principal", {});
    // The worker syncs none of these with an identity that needs a grant.
    await aClass("clear", "mounted-alone", { ...lent("nobody"), isMirrored: false });
    await aClass("clear", "never", { parameters: workload, annotations: { "keyvault-injector.dev/sync": "never" } });
    await aClass("clear", "of-pods", { parameters: { usePodIdentity: "true" } });
    await aClass("kube-system", "system", lent("default"));
  });
  after(async () => {
    await plane?.stop();
  });

  test("S5: lists what classes need of their Namespaces, with the commands, and changes nothing", async () => {
    const { code, stdout, stderr } = await grants();

    assert.deepEqual([code, stderr], [1, ""]);
    assert.match(stdout, /^Synced classes: 4 with workload identity, 1 with the node's managed identity, 1 with a service principal/);
    assert.match(
      stdout,
      /\nNamespace shop\n {2}\+ ServiceAccount cart: again, stated\n {2}= ServiceAccount earlier: granted\n {2}\+ ServiceAccount shelf: by-its-pod\n/,
    );
    assert.match(stdout, /\nNamespace node\n {2}\+ managed identity of the worker's node: of-the-node\n/);
    assert.match(stdout, new RegExp(`kubectl annotate namespace shop --overwrite ${ACCOUNTS}=cart,earlier,shelf\n`));
    assert.match(stdout, new RegExp(`kubectl annotate namespace node --overwrite ${IDENTITY}=allowed\n`));
    assert.match(stdout, /--managed-identity-namespaces=node \(the chart's value managedIdentityNamespaces\)/);
    assert.match(stdout, /\n {2}shop\/by-nobody: no pod mounts the class/);
    assert.match(stdout, /\n {2}kube-system\/system: the worker requests no token in kube-system/);
    assert.doesNotMatch(stdout, /mounted-alone|never|of-pods|principal:/);
    assert.deepEqual(await annotationsOf("shop"), { [ACCOUNTS]: "earlier" });
  });

  test("prints the Namespaces for Git, and one report for scripts", async () => {
    const { stdout: yaml } = await grants("-o", "yaml");
    const manifests = parseManifests(yaml);
    assert.deepEqual(
      manifests.map(({ kind, metadata }) => [kind, metadata]),
      [
        ["Namespace", { name: "node", annotations: { [IDENTITY]: "allowed" } }],
        ["Namespace", { name: "shop", annotations: { [ACCOUNTS]: "cart,earlier,shelf" } }],
      ],
    );
    const report = JSON.parse((await grants("-o", "json", "-n", "node")).stdout) as unknown;
    assert.deepEqual(at(report, "missing"), [{ namespace: "node", managedIdentity: true }]);
    assert.equal(at(report, "report"), "grants");
  });

  test("S5: grants what is missing with --apply, and nothing the second time", async () => {
    const { code, stdout } = await grants("--apply");
    assert.equal(code, 1, "the node's identity is not granted unless it is named");
    assert.match(stdout, /\nGranted on Namespace shop\.\n/);
    assert.deepEqual(await annotationsOf("shop"), { [ACCOUNTS]: "cart,earlier,shelf" });
    assert.deepEqual(await annotationsOf("node"), {});
    assert.match((await grants("--managed-identity", "--apply")).stdout, /\nGranted on Namespace node\.\n/);
    assert.deepEqual(await annotationsOf("node"), { [IDENTITY]: "allowed" });
    assert.deepEqual(await annotationsOf("clear"), {});

    const version = await plane.kubectl(["get", "namespace", "shop", "-o", "jsonpath={.metadata.resourceVersion}"]);
    const again = await grants("--apply");
    assert.equal(again.code, 0);
    assert.match(again.stdout, /\nNothing is missing\.\n/);
    assert.equal(await plane.kubectl(["get", "namespace", "shop", "-o", "jsonpath={.metadata.resourceVersion}"]), version);
  });

  test("takes the worker's setting for a grant, and leaves out what the operator does not allow", async () => {
    const setArguments = (...args: readonly string[]): Promise<string> => setWorkerArguments(plane, ["sync", ...args]);
    await plane.kubectl(["annotate", "namespace", "node", `${IDENTITY}-`]);
    assert.equal((await grants("-n", "node")).code, 1);
    await setArguments("--managed-identity-namespaces=node");
    assert.equal((await grants("-n", "node")).code, 0);
    await setArguments("--allowed-identity-modes=service-principal");
    assert.match((await grants()).stdout, /^Synced classes: 0 with workload identity, 0 with the node's managed identity, 1 with/);
  });

  test("counts identity bindings and what they need where they are on", async () => {
    const bound = { parameters: { ...workload, useAzureTokenProxy: "true" } };
    await aClass("clear", "bound", { ...lent("bound-account"), ...bound });
    await setWorkerArguments(plane, ["sync"]);
    assert.doesNotMatch((await grants("-n", "clear")).stdout, /bound/, "the worker refuses them, whatever is granted");
    await setWorkerArguments(plane, ["sync", "--identity-bindings=true"]);
    const { stdout } = await grants("-n", "clear");
    assert.match(stdout, /^Synced classes: 0 with workload identity, 1 with an identity binding, /);
    assert.match(stdout, /\+ ServiceAccount bound-account: bound\n/);
    await plane.kubectl(["delete", "secretproviderclass", "bound", "-n", "clear"]);
  });

  test("tells of classes that lend something and are older than the policy that asks their authors", async () => {
    assert.doesNotMatch((await grants()).stdout, /Older than the policy/);
    const binding = "validatingadmissionpolicybinding/keyvault-injector-class-identities";
    const kept = await plane.kubectl(["get", binding, "-o", "json"]);
    await plane.kubectl(["delete", binding]);
    assert.match((await grants()).stdout, /The policy keyvault-injector-class-identities is not bound: apply manifests\/policies\./);

    const { apiVersion, kind, metadata, spec } = JSON.parse(kept) as {
      apiVersion: string;
      kind: string;
      metadata: { name: string };
      spec: unknown;
    }; // As the test read it.
    await plane.kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion, kind, metadata: { name: metadata.name }, spec }));
    const { stdout } = await grants();
    assert.match(
      stdout,
      /Older than the policy keyvault-injector-class-identities, so their authors' permissions may never have been checked/,
    );
    assert.match(stdout, /\n {2}shop\/stated lends the ServiceAccount "cart"\n/);
    assert.doesNotMatch(stdout, /by-its-pod lends/);

    await plane.kubectl(["label", "secretproviderclass", "stated", "-n", "shop", "written=since"]);
    assert.match((await grants()).stdout, /shop\/stated lends/, "nobody is asked for a right because of a label");
    await plane.kubectl(["annotate", "secretproviderclass", "stated", "-n", "shop", "keyvault-injector.dev/refresh=since"]);
    assert.match((await grants()).stdout, /shop\/stated lends/, "its creation is before the policy all the same");
  });

  test("lists the copies that classes offer, says how a Namespace takes them, and takes none for it", async () => {
    await aClass("shop", "offering", { annotations: { "keyvault-injector.dev/mirror-to": "clear,node,missing" } });
    await plane.kubectl(["annotate", "namespace", "clear", "grants.keyvault-injector.dev/mirrors-from=shop/*"]);
    await plane.kubectl(["annotate", "namespace", "node", "grants.keyvault-injector.dev/mirrors-from=other/one"]);

    const { stdout } = await grants("--apply");
    const { copies } = JSON.parse((await grants("-o", "json")).stdout) as { readonly copies: unknown }; // The documented format.

    assert.match(stdout, /\nNamespace clear\n {2}= shop\/offering\nNamespace node\n {2}\+ shop\/offering\n/);
    assert.match(
      stdout,
      /kubectl annotate namespace node --overwrite grants\.keyvault-injector\.dev\/mirrors-from=other\/one,shop\/offering\n/,
    );
    assert.deepEqual(copies, [
      { namespace: "clear", taken: ["shop/offering"], offered: [], from: ["shop/*"] },
      { namespace: "node", taken: [], offered: ["shop/offering"], from: ["other/one"] },
    ]);
    assert.equal((await annotationsOf("node"))["grants.keyvault-injector.dev/mirrors-from"], "other/one");
    await plane.kubectl(["delete", "secretproviderclass", "offering", "-n", "shop"]);
  });

  test("says what the user may not read", async () => {
    await plane.kubectl(["create", "serviceaccount", "nobody", "-n", "default"]);
    const { code, stderr } = await runCli(["grants"], { kubeconfig: await plane.kubeconfigFor({ namespace: "default", name: "nobody" }) });
    assert.equal(code, 2);
    assert.match(stderr, /you lack permission to list secretproviderclasses/);
  });
});
