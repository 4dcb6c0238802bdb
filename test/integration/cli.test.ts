import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import type { InstallReport } from "../../src/cli/doctor/report.ts";
import { readManifests } from "../../src/cli/manifest/documents.ts";
import { type SpawnedEmulator, spawnEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import { type CliOutput, runCli, runOnline } from "../support/cli/cli.ts";
import { kubectlOutput } from "../support/cli/kubectl-output.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertNothingForbidden } from "../support/cluster/own-requests.ts";
import { installProduct, type Product } from "../support/cluster/product.ts";
import { at, listAt, MANIFESTS, type Manifest } from "../support/cluster/shipped-manifests.ts";
import { prefixed } from "../support/fixtures/pods.ts";
import { eventually } from "../support/time/eventually.ts";
import { findLeaks } from "../support/worker/canary.ts";
import { assertNotices, compare } from "./compared-objects.ts";
import { CLASSES_OF_WORKLOADS, manyWorkloads } from "./many-workloads.ts";

const refusal = controlPlaneRefusal();
const VAULT = "cli-vault";
const SHOP = "shop";

let plane: ControlPlane;
let product: Product;
let emulator: SpawnedEmulator;
const canaries = { secret: `"${randomBytes(12).toString("hex")}~?>`, clientSecret: `client-${randomBytes(12).toString("hex")}` };

const cli = (...args: readonly string[]): Promise<CliOutput> => runCli(args, { kubeconfig: plane.kubeconfigPath });
const applyTo = (namespace: string, text: string): Promise<string> => plane.kubectl(["apply", "-n", namespace, "-f", "-"], text);
const apply = (object: object): Promise<string> => plane.kubectl(["apply", "-f", "-"], JSON.stringify(object));

async function newNamespace(name: string, annotations: Readonly<Record<string, string>> = {}): Promise<string> {
  await apply({ apiVersion: "v1", kind: "Namespace", metadata: { name, annotations } });
  await eventually(() => plane.kubectl(["get", "serviceaccount", "default", "-n", name]), { what: `the default account of ${name}` });
  return name;
}

function aClass(name: string, parameters: object, secretObjects: readonly object[] = []): object {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { name, namespace: SHOP },
    spec: { provider: "azure", parameters, secretObjects },
  };
}

const PARAMETERS = { keyvaultName: VAULT, objects: "array:\n  - |\n    objectName: app\n    objectType: secret\n" };
const SECRET_OBJECT = { secretName: "app", type: "Opaque", data: [{ objectName: "app", key: "password" }] };

/** Component healing is off: this suite changes the webhook's configuration without being its installer. */
const HELD = { args: ["--rotation-poll-interval=10s", "--heal=crds,classes"] };

before(async () => {
  if (refusal !== undefined) return;
  plane = await startControlPlane();
  emulator = await spawnEmulator(mkdtempSync(path.join(plane.directory, "emulator-")));
  product = await installProduct(plane, { environment: { HTTPS_PROXY: emulator.proxyUrl, NODE_EXTRA_CA_CERTS: emulator.caFile } });
  await Promise.all([product.start("webhook"), product.start("sync", HELD)]);
  const { tenantId } = await emulator.createVault({ name: VAULT });
  const { appId } = await emulator.createServicePrincipal({ tenantId, clientSecret: canaries.clientSecret });
  await emulator.grant({ vault: VAULT, appId, permissions: ["get"] });
  await emulator.setSecret({ vault: VAULT, name: "app", value: canaries.secret });
  await newNamespace(SHOP);
  const stringData = { clientid: appId, clientsecret: canaries.clientSecret };
  await apply({ apiVersion: "v1", kind: "Secret", metadata: { name: "secrets-store-creds", namespace: SHOP }, stringData });
  await apply(aClass("mirrored", { ...PARAMETERS, tenantId }, [SECRET_OBJECT]));
  await apply(
    aClass("broken", { ...PARAMETERS, tenantId, objects: "array:\n  - |\n    objectName: nowhere\n    objectType: secret\n" }, [
      { ...SECRET_OBJECT, secretName: "nowhere", data: [{ objectName: "nowhere", key: "a" }] },
    ]),
  );
  await eventually(() => hasReason("mirrored", "Synced"), { what: "the mirrored class" });
  await eventually(() => hasReason("broken", "ObjectNotFound"), { what: "the failing class" });
});

after(async () => {
  await product?.stop();
  await emulator?.stop();
  await plane?.stop();
});

async function hasReason(name: string, reason: string): Promise<boolean> {
  return (await plane.kubectl(["get", "spcsync", name, "-n", SHOP, "--no-headers"])).includes(reason);
}

describe("manifests are read as kubectl reads them", { skip: refusal }, () => {
  const odd =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nodd: {zz: n, b: 0644, c: 2020-01-01, d: 1:30, e: yes, f: 0o17, g: 1_000, h: on, i: 0x1F, " +
    "j: 1e3, k: .5, l: ~, m: 0b11, nn: -0644, o: +1, 1: a, 1.5: b, yes: c, q: Off, r: 190:20:30, s: !!str 1, t: 08, u: 1.0, v: 0.10, cc: =, " +
    'dd: 1., gg: 0777_7, hh: 2001-12-14t21:59:43.10-05:00, ii: NULL, jj: TRUE, kk: tRue, ll: Y, mm: "y"}\n';

  test("booleans, octals, times, nulls and keys that look like something else", async () => {
    const { stdout } = await kubectlOutput(plane, ["label", "--local", "-f", "-", "x=y", "-o", "json", "--dry-run=client"], odd);

    assert.deepEqual(readManifests("odd", odd).documents[0]?.object["odd"], JSON.parse(stdout).odd);
  });
});

/** Two equal namespaces. The API server calls the webhook only for the first. */
interface Twins {
  readonly injected: string;
  readonly rendered: string;
}

async function twins(name: string, annotations: Readonly<Record<string, string>> = {}): Promise<Twins> {
  const injected = await newNamespace(`${name}-injected`, annotations);
  const rendered = await newNamespace(`${name}-rendered`, annotations);
  const exclusion = [
    {
      op: "add",
      path: "/webhooks/0/namespaceSelector/matchExpressions/-",
      value: { key: "kubernetes.io/metadata.name", operator: "NotIn", values: [rendered] },
    },
  ];
  await plane.kubectl(["patch", "mutatingwebhookconfiguration", "keyvault-injector", "--type=json", "-p", JSON.stringify(exclusion)]);
  const probe = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "probe", annotations: prefixed({ inject: "maybe" }) },
    spec: { containers: [{ name: "a", image: "a" }] },
  };
  await eventually(
    async () =>
      !(await kubectlOutput(plane, ["create", "--dry-run=server", "-n", rendered, "-f", "-"], JSON.stringify(probe))).stderr.includes(
        "admission webhook",
      ),
    { what: `a webhook that is not asked about ${rendered}` },
  );
  return { injected, rendered };
}

async function storedIn(namespace: string, kinds: string): Promise<readonly Manifest[]> {
  const { items }: { items: Manifest[] } = JSON.parse(await plane.kubectl(["get", kinds, "-n", namespace, "-o", "json"]));
  return items;
}

describe("what render prints", { skip: refusal }, () => {
  test("is what the API server stores of the examples, field for field", async (context) => {
    const { injected, rendered } = await twins("examples");
    const files = readdirSync(path.join(MANIFESTS, "examples")).map((file) => path.join(MANIFESTS, "examples", file));
    for (const file of files) await plane.kubectl(["apply", "-n", injected, "-f", file]);

    const printed = await cli("render", "-n", rendered, ...files.flatMap((file) => ["-f", file]));
    assert.equal(printed.code, 0, printed.stderr);
    await applyTo(rendered, printed.stdout);

    const kinds = "pods,secretproviderclasses,secrets";
    const [left, right] = await Promise.all([storedIn(injected, kinds), storedIn(rendered, kinds)]);
    const { objects, fields, differing } = compare(left, right);
    assert.deepEqual(differing, []);
    assert.ok(left.some(({ metadata }) => metadata.labels?.["keyvault-injector.dev/injected"] === "true"));
    context.diagnostic(`rendered ${objects} objects, ${fields} fields equal`);
    assertNotices(left);
  });

  test("is what pods of workloads become: two classes, init containers and sidecars, own volumes, defaults of the Namespace", async (context) => {
    const { injected, rendered } = await twins(
      "workloads",
      prefixed({ "mount-path": "/run/vault", "credentials-secret": "from-the-namespace" }),
    );
    const input = { apiVersion: "v1", kind: "List", items: [...CLASSES_OF_WORKLOADS, ...manyWorkloads()] };
    for (const namespace of [injected, rendered]) await applyTo(namespace, JSON.stringify({ ...input, items: CLASSES_OF_WORKLOADS }));
    await applyTo(injected, JSON.stringify(input));
    await eventually(async () => (await storedIn(injected, "pods")).length === 4, { what: "the workloads' pods" });

    const file = path.join(plane.directory, "workloads.json");
    writeFileSync(file, JSON.stringify({ ...input, items: manyWorkloads() }));
    const printed = await cli("render", "-n", rendered, "-f", file);
    assert.equal(printed.code, 0, printed.stderr);
    await applyTo(rendered, printed.stdout);
    await eventually(async () => (await storedIn(rendered, "pods")).length === 4, { what: "the rendered workloads' pods" });

    const [left, right] = await Promise.all([storedIn(injected, "pods"), storedIn(rendered, "pods")]);
    const { objects, fields, differing } = compare(left, right);
    assert.deepEqual(differing, []);
    assert.match(JSON.stringify(left), /\/run\/vault\/principal/);
    assert.match(JSON.stringify(left), /from-the-namespace/);
    assert.match(JSON.stringify(left), /made-by-hand/);
    context.diagnostic(`rendered ${objects} pods of workloads, ${fields} fields equal`);
    assertNotices(left);
  });

  test("passes the webhook unchanged", async () => {
    const namespace = await newNamespace("twice");
    const once = await cli("render", "-n", namespace, "-f", path.join(MANIFESTS, "examples/pod-annotated.yaml"));
    await applyTo(namespace, once.stdout);

    const [stored] = await storedIn(namespace, "pods");
    const [printed] = readManifests("-", once.stdout).documents;

    assert.deepEqual(
      at(stored, "metadata", "annotations", "keyvault-injector.dev/status"),
      at(printed?.object, "metadata", "annotations", "keyvault-injector.dev/status"),
    );
    assert.equal(listAt(stored, "spec", "volumes").filter((volume) => at(volume, "csi") !== undefined).length, 1);
  });

  test("ends with 1 where the API server refuses as well, with the same message", async () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "bad", annotations: prefixed({ inject: "true", "secret-provider-class": "a", containers: "none" }) },
      spec: { containers: [{ name: "app", image: "a" }] },
    };
    const file = path.join(plane.directory, "bad.json");
    writeFileSync(file, JSON.stringify(pod));

    const printed = await cli("render", "-n", SHOP, "-f", file);
    const refused = await kubectlOutput(plane, ["create", "-n", SHOP, "-f", file]);

    assert.equal(printed.code, 1);
    const [, message = "nothing"] = /error: (.*) \(ContainerNotFound\)/.exec(printed.stderr) ?? [];
    assert.ok(refused.stderr.includes(message), `${printed.stderr}\n${refused.stderr}`);
  });
});

describe("explain", { skip: refusal }, () => {
  const explain = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await cli("explain", ...args, "-o", "json");
    assert.equal(stderr, "");
    const [first] = JSON.parse(stdout).explanations;
    return {
      code,
      verdict: first.verdict,
      said: first.steps.map(({ topic, state, message }: Record<string, string>) => `${topic} ${state}: ${message}`).join("\n"),
    };
  };

  before(async () => {
    const template = {
      metadata: { labels: { app: "web" }, annotations: prefixed({ inject: "true", "secret-provider-class": "mirrored" }) },
      spec: { containers: [{ name: "app", image: "a" }] },
    };
    await applyTo(
      SHOP,
      JSON.stringify({
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "web" },
        spec: { selector: { matchLabels: { app: "web" } }, template },
      }),
    );
    await eventually(async () => (await storedIn(SHOP, "pods")).length === 1, { what: "the pod" });
  });

  test("of a Deployment goes from the webhook to who may read, and names no value", async () => {
    const { code, verdict, said } = await explain("deploy/web", "-n", SHOP);

    assert.deepEqual([code, verdict.reason], [0, "Injected"], said);
    for (const line of [
      /^webhook ok: called for every pod in namespace shop/m,
      /^certificate ok: the API server trusts the webhook's CA, which is valid until /m,
      /^policy ok: policy keyvault-injector-pod-volume rejects the pod if its volume has not been added/m,
      /^opt-in ok: /m,
      /^class ok: SecretProviderClass mirrored exists/m,
      /^identity ok: class mirrored accesses the vault as the service principal/m,
      /^volume ok: volume secrets-store-inline \(added\)/m,
      /^mount ok: container app has volume secrets-store-inline at \/mnt\/secrets-store/m,
      /^credentials ok: Secret secrets-store-creds has clientid and clientsecret/m,
      /^sync ok: class mirrored is Synced/m,
      /^secret ok: Secret app is Synced: password from secret\/app version [0-9a-f]{32}/m,
      /^readers ok: Secret app can be read by .*ServiceAccount keyvault-injector\/keyvault-injector-sync \(ClusterRoleBinding keyvault-injector-sync\)/m,
      /^readers ok: the class can be mounted by anyone who can create pods in shop: /m,
    ]) {
      assert.match(said, line);
    }
  });

  test("of its pod says AlreadyInjected, and that injection added the volume", async () => {
    const [pod] = await storedIn(SHOP, "pods");
    const { code, verdict, said } = await explain(`pod/${pod?.metadata.name ?? ""}`, "-n", SHOP);

    assert.deepEqual([code, verdict.reason], [0, "AlreadyInjected"]);
    assert.match(said, /^volume ok: volume secrets-store-inline \(added by injection\)/m);
  });

  test("of classes says what the status says, who mounts them, and ends with 1 for one that fails", async () => {
    const good = await explain("spc/mirrored", "-n", SHOP);
    const bad = await explain("secretproviderclass/broken", "-n", SHOP);

    assert.deepEqual([good.code, good.verdict.outcome, good.verdict.reason], [0, "mirrored", "Synced"], good.said);
    assert.match(good.said, /^pods ok: 1 pod mounts it now: web-/m);
    assert.deepEqual([bad.code, bad.verdict.outcome, bad.verdict.reason], [1, "failing", "ObjectNotFound"], bad.said);
  });

  test("of a pod where the webhook is not asked says so first", async () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "a", namespace: "kube-system", annotations: prefixed({ inject: "true", "secret-provider-class": "mirrored" }) },
      spec: { containers: [] },
    };
    const file = path.join(plane.directory, "excluded.json");
    writeFileSync(file, JSON.stringify(pod));

    const { code, verdict } = await explain("-f", file);

    assert.deepEqual([code, verdict.outcome, verdict.reason], [1, "unasked", "NamespaceExcluded"]);
  });

  test("says which Secret and which class is missing", async () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "a", namespace: "default", annotations: prefixed({ inject: "true", "secret-provider-class": "nowhere" }) },
      spec: { containers: [{ name: "a", image: "a" }] },
    };
    const file = path.join(plane.directory, "missing.json");
    writeFileSync(file, JSON.stringify(pod));

    const { code, said } = await explain("-f", file);

    assert.equal(code, 1);
    assert.match(said, /^class problem: SecretProviderClass nowhere does not exist/m);
    assert.match(said, /^credentials problem: Secret secrets-store-creds does not exist/m);
  });

  test("ends with 2 for what is not there", async () => {
    const { code, stderr } = await cli("explain", "pod/nowhere", "-n", SHOP);

    assert.equal(code, 2);
    assert.match(stderr, /Pod nowhere does not exist in namespace shop; name another namespace with -n/);
  });
});

describe("a user with few rights", { skip: refusal }, () => {
  let kubeconfig: string;

  before(async () => {
    await applyTo(SHOP, JSON.stringify({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "viewer" } }));
    const subjects = ["--serviceaccount=shop:viewer"];
    await plane.kubectl(["create", "rolebinding", "viewer", "-n", SHOP, "--clusterrole=view", ...subjects]);
    await plane.kubectl([
      "create",
      "clusterrole",
      "spc-reader",
      "--verb=get,list",
      "--resource=secretproviderclasses.secrets-store.csi.x-k8s.io",
    ]);
    await plane.kubectl(["create", "rolebinding", "spc", "-n", SHOP, "--clusterrole=spc-reader", ...subjects]);
    kubeconfig = await plane.kubeconfigFor({ namespace: SHOP, name: "viewer" });
  });

  test("gets an explanation, and is told what could not be looked at", async () => {
    const { code, stdout } = await runCli(["explain", "deploy/web"], { kubeconfig });

    assert.equal(code, 0, stdout);
    assert.match(stdout, /Injected \(patched\)/);
    assert.match(stdout, /unknown {2}credentials {2}you lack permission to get secrets shop\/secrets-store-creds/);
    assert.match(stdout, /unknown {2}readers +you lack permission to list roles/);
    assert.match(stdout, /unknown {2}policy +you lack permission to get validatingadmissionpolicies/);
  });

  test("gets manifests rendered with the classes that may be read", async () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "a", annotations: prefixed({ inject: "true", "secret-provider-class": "mirrored" }) },
      spec: { containers: [{ name: "a", image: "a" }] },
    };

    const { code, stdout, stderr } = await runCli(["render", "-f", "-"], { kubeconfig, input: JSON.stringify(pod) });

    assert.equal(code, 0, stderr);
    assert.match(stdout, /secretProviderClass: mirrored/);
    assert.ok(!stderr.includes("could not be read"), stderr);
  });

  test("gets what doctor may see and a SKIP for all else", async () => {
    const { code, stdout } = await runCli(["doctor", "-o", "json"], { kubeconfig });
    const { findings, walks, unseen }: InstallReport = JSON.parse(stdout);
    const [api, ...others] = findings;

    assert.equal(code, 0, stdout);
    assert.match(api?.message ?? "", /identifies you as system:serviceaccount:shop:viewer$/);
    // Every ServiceAccount can see where the only instance is installed: the webhook configuration names it.
    const seen = others.filter(({ state }) => state === "OK").map(({ message }) => message);
    assert.equal(seen.length, 3, stdout);
    assert.deepEqual(seen.slice(0, 2), ["keyvault-injector is installed in this cluster", "pods.keyvault-injector.dev is configured"]);
    assert.match(seen[2] ?? "", /^1 trusted, the newest until /);
    const skipped = others.filter(({ state }) => state !== "OK");
    assert.ok(
      skipped.length > 0 &&
        skipped.every(({ state, message }) => state === "SKIP" && message.startsWith("not checked: you lack permission to ")),
      stdout,
    );
    assert.deepEqual(walks, []);
    assert.ok(unseen.length > 0 && unseen.every((why) => why.startsWith("you lack permission to ")), stdout);
  });

  test("NW-H1: makes the checks of doctor with the roles that it prints", async () => {
    const refused = (await runCli(["doctor", "--no-vaults"], { kubeconfig })).stdout;
    const [, yaml = ""] = /kubectl apply -f -\n\n(apiVersion: [^]*?)\n\n/.exec(refused) ?? [];
    assert.match(refused, /^\d+ checks were not made, because you lack permissions: /m);
    await plane.kubectl(["apply", "-f", "-"], yaml);
    const reached = await eventually(
      async () => {
        const { stdout } = await runCli(["doctor", "--no-vaults"], { kubeconfig });
        assert.doesNotMatch(stdout, /because you lack permissions/);
        return stdout;
      },
      { what: "the rights" },
    );
    await plane.kubectl(["delete", "-f", "-"], yaml);

    assert.match(reached, /^SKIP {2}authority .*which holds the CA's private key$/m);
    assert.doesNotMatch(reached, /^SKIP {2}(deployments|policies|tokens|rights) /m);
  });
});

describe("output of every command", { skip: refusal }, () => {
  test("holds no value of a Secret in any encoding; one that is planted is found", async (context) => {
    const file = path.join(plane.directory, "everything.json");
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: "a",
        namespace: SHOP,
        annotations: prefixed({ inject: "true", "secret-provider-class": "mirrored,broken", "env-from": "app" }),
      },
      spec: { containers: [{ name: "a", image: "a" }] },
    };
    writeFileSync(file, JSON.stringify(pod));
    const commands = [
      ["render", "-f", file],
      ["render", "-f", file, "-o", "json"],
      ["render", "-f", file, "-o", "diff"],
      ...["text", "json"].flatMap((format) => [
        ["explain", "deploy/web", "-n", SHOP, "-o", format],
        ["explain", "spc/mirrored", "-n", SHOP, "-o", format],
        ["explain", "spc/broken", "-n", SHOP, "-o", format],
        ["explain", "-f", file, "-o", format],
        ["doctor", "-o", format],
        ["doctor", "class", `${SHOP}/mirrored`, "-o", format],
        ["doctor", "plan", "-n", SHOP, "-o", format],
      ]),
    ];
    const texts = [];
    for (const args of commands) {
      const { output, notes } = await runOnline(args, plane.kubeconfigPath);
      assert.ok(output.length > 100, `${args.join(" ")}: ${notes.join("\n")}`);
      texts.push({ name: args.join(" "), text: [output, ...notes].join("\n") });
    }

    const values = Object.values(canaries);
    assert.deepEqual(findLeaks(values, texts), []);
    const planted = texts.map(({ name, text }) => ({ name, text: `${text}${Buffer.from(`x${canaries.secret}`).toString("base64")}` }));
    assert.equal(findLeaks(values, planted).length, commands.length);
    context.diagnostic(`${commands.length} outputs scanned for ${values.length} values, 0 found`);
  });

  test("needed no request of our processes that was answered 403", (context) => assertNothingForbidden(plane, context));
});
