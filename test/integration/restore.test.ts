import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS, SNAPSHOT_ANNOTATIONS, SNAPSHOT_LABEL } from "../../src/domain/annotations.ts";
import { type ClassSnapshot, canonical } from "../../src/domain/healing/snapshot.ts";
import type { KubeObject, SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { runOnline } from "../support/cli/cli.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { installDefinitions } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import { findLeaks } from "../support/worker/canary.ts";
import {
  CLASS_CRD,
  classOf,
  classPath,
  dataOf,
  find,
  listAll,
  mergePatch,
  opaque,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const NAMES = ["first", "second", "third"] as const;

interface Revision extends KubeObject {
  readonly revision: number;
  readonly data: ClassSnapshot;
}

interface Report {
  readonly report: string;
  readonly format: number;
  readonly classes: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly state: string;
    readonly action?: string;
    readonly diff?: string;
  }[];
}

let world: SyncWorld;
let namespace: string;
/** The classes before the deletion of their CRD. */
let lost: ReadonlyMap<string, SecretProviderClass>;
const printed: string[] = [];

const kubectl = (args: readonly string[], input?: string): Promise<string> => world.plane.kubectl(args, input);
const classNamed = (name: string): Promise<SecretProviderClass | undefined> => find(world.plane, classPath(namespace, name));
const revisions = (): Promise<readonly Revision[]> =>
  listAll(world.plane, `/apis/apps/v1/controllerrevisions?labelSelector=${SNAPSHOT_LABEL}=true`);

function contentOf({ metadata, spec }: SecretProviderClass): string {
  return canonical({ labels: metadata.labels, annotations: metadata.annotations, spec });
}

async function restore(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly output: string; readonly notes: readonly string[] }> {
  const result = await runOnline(["restore", ...args], world.plane.kubeconfigPath);
  printed.push(result.output, ...result.notes);
  return result;
}

async function states(...args: readonly string[]): Promise<readonly string[]> {
  const { output, notes } = await restore(...args, "-o", "json");
  assert.deepEqual(notes, []);
  const { report, format, classes }: Report = JSON.parse(output);
  assert.deepEqual([report, format], ["restore", 1]);
  return classes.map(({ name, state, action }) => `${name} ${action ?? state}`);
}

async function without(...names: readonly string[]): Promise<void> {
  for (const name of names) await kubectl(["delete", "secretproviderclass", name, "-n", namespace, "--ignore-not-found"]);
}

describe("restore", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    namespace = await world.namespace();
    const object = await world.object("a value that no output may hold");
    const worker = await world.product.start("sync", { args: ["--enable-secret-rotation=false"] });
    for (const name of NAMES) {
      const facts = { namespace, name, objects: [object], secretObjects: [opaque(name, object)], labels: { team: "shop" } };
      const provider = classOf(world, { ...facts, annotations: { note: `of ${name}` } });
      await kubectl(["apply", "--server-side", "--field-manager=gitops", "-f", "-"], JSON.stringify(provider));
      await eventually(() => dataOf(world.plane, namespace, name), { what: `the Secret of ${name}` });
    }
    await eventually(async () => (await revisions()).length === NAMES.length, { what: "the snapshots" });
    await worker.stop();
    const live = await Promise.all(NAMES.map(async (name) => [name, await classNamed(name)] as const));
    lost = new Map(live.flatMap(([name, provider]) => (provider === undefined ? [] : [[name, provider] as const])));
    assert.equal(lost.size, NAMES.length);
  });

  after(async () => {
    await world?.stop();
  });

  test("says that the CRD has to be there first", async () => {
    await kubectl(["delete", "crd", CLASS_CRD, "--wait"]);

    const { code, notes } = await restore("--list");

    assert.deepEqual(
      [code, notes],
      [2, ["keyvault-injector restore: the API server serves no secretproviderclasses; apply manifests/crds first"]],
    );
    await installDefinitions(world.plane, "--force-conflicts");
  });

  test("lists what is missing, and restores nothing by that", async () => {
    const { code, output } = await restore("--list");

    assert.equal(code, 0);
    for (const name of NAMES)
      assert.match(
        output,
        new RegExp(`^missing +${namespace}/${name}: not in the cluster; generation 1 was kept \\(keyvault-injector-`, "m"),
      );
    assert.match(output, /\n3 snapshots: 3 missing\n$/);
    assert.equal(await classNamed("first"), undefined);
  });

  test("says by --dry-run what it would do, and does not", async () => {
    assert.deepEqual(
      await states("--all", "--dry-run"),
      NAMES.map((name) => `${name} created`),
    );

    const { output } = await restore("--all", "--dry-run");
    assert.match(output, /would be recreated/);
    assert.match(output, /\n3 created; nothing was changed \(--dry-run\)\n$/);
    assert.equal(await classNamed("first"), undefined);
  });

  test("restores the one class that was named, as it was, and hands it back to its owner", async () => {
    assert.deepEqual(await states(`${namespace}/first`), ["first created"]);

    const made = await classNamed("first");
    const before = lost.get("first");
    assert.ok(made !== undefined && before !== undefined);
    assert.equal(contentOf(made), contentOf(before));
    assert.notEqual(made.metadata.uid, before.metadata.uid);
    assert.deepEqual(
      (made.metadata.managedFields ?? []).map(({ manager }) => manager),
      ["gitops"],
    );
    // The owner's next apply has no conflict.
    const again = {
      apiVersion: made.apiVersion,
      kind: made.kind,
      metadata: { name: "first", namespace, labels: { team: "shop" }, annotations: { note: "of first" } },
      spec: before.spec,
    };
    await kubectl(["apply", "--server-side", "--field-manager=gitops", "-f", "-"], JSON.stringify(again));
    assert.equal(await classNamed("second"), undefined);
  });

  test("restores all that are missing, and leaves alone what is there", async () => {
    const uid = (await classNamed("first"))?.metadata.uid;

    assert.deepEqual(await states("--all"), ["first kept", "second created", "third created"]);

    assert.equal((await classNamed("first"))?.metadata.uid, uid);
    for (const name of NAMES) {
      const [made, before] = [await classNamed(name), lost.get(name)];
      assert.ok(made !== undefined && before !== undefined);
      assert.equal(contentOf(made), contentOf(before));
    }
  });

  test("shows how a class that is there differs, and does not overwrite it", async () => {
    await mergePatch(world.plane, classPath(namespace, "second"), {
      metadata: { annotations: { note: "edited", more: "added" } },
      spec: { parameters: { keyvaultName: "another" } },
    });

    const { code, output } = await restore(`${namespace}/second`);

    assert.equal(code, 0);
    assert.match(output, /^kept +\S+\/second: exists, and differs from the snapshot: --force overwrites it/m);
    assert.match(output, /^- +keyvaultName: another$/m);
    assert.match(output, new RegExp(`^\\+ +keyvaultName: ${world.vault}$`, "m"));
    assert.equal((await classNamed("second"))?.spec?.parameters?.["keyvaultName"], "another");
  });

  test("makes it as the snapshot has it by --force, on the same object", async () => {
    const uid = (await classNamed("second"))?.metadata.uid;
    assert.deepEqual(await states(`${namespace}/second`, "--force", "--dry-run"), ["second overwritten"]);
    assert.equal((await classNamed("second"))?.spec?.parameters?.["keyvaultName"], "another");

    assert.deepEqual(await states(`${namespace}/second`, "--force"), ["second overwritten"]);

    const [made, before] = [await classNamed("second"), lost.get("second")];
    assert.ok(made !== undefined && before !== undefined);
    assert.equal(contentOf(made), contentOf(before));
    assert.equal(made.metadata.uid, uid);
    assert.deepEqual(await states(`${namespace}/second`, "--force"), ["second kept"]);
  });

  test("refuses forged snapshots: of another content, of another namespace, and without a fingerprint", async () => {
    await without("third");
    const original = (await revisions()).find(({ data }) => data.name === "third");
    assert.ok(original !== undefined);
    const elsewhere = await world.namespace();
    const { labels, annotations } = original.metadata;
    const forge = (
      name: string,
      where: string,
      data: ClassSnapshot,
      claimed = annotations?.[SNAPSHOT_ANNOTATIONS.signature] ?? "",
    ): Promise<unknown> =>
      send(world.plane, {
        method: "POST",
        path: `/apis/apps/v1/namespaces/${where}/controllerrevisions`,
        body: {
          apiVersion: "apps/v1",
          kind: "ControllerRevision",
          metadata: { name, labels, annotations: { ...annotations, [SNAPSHOT_ANNOTATIONS.signature]: claimed } },
          revision: 9,
          data,
        },
      });
    await kubectl(["delete", "controllerrevision", original.metadata.name, "-n", namespace]);
    await forge("changed", namespace, { ...original.data, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "somebody" } });
    await forge("unsigned", namespace, original.data, "");
    await forge("moved", elsewhere, original.data);

    const { code, output } = await restore("--all");

    assert.equal(code, 1);
    for (const name of ["changed", "unsigned", "moved"])
      assert.match(output, new RegExp(`^refused +\\S+/third: this install did not write it.*\\(${name}, taken `, "m"));
    assert.equal(await classNamed("third"), undefined);
    assert.equal(await find(world.plane, classPath(elsewhere, "third")), undefined);
    assert.deepEqual(await states("--list", "-n", elsewhere), ["third forged"]);
    // The control: after the test puts the genuine snapshot back, the command accepts it.
    await forge(original.metadata.name, namespace, original.data);
    assert.ok((await states(`${namespace}/third`)).includes("third created"));
  });

  test("needs the right to read the key, and says which", async () => {
    await kubectl(["create", "serviceaccount", "reader", "-n", namespace]);
    await kubectl(["create", "rolebinding", "reader", "-n", namespace, "--clusterrole=admin", `--serviceaccount=${namespace}:reader`]);
    const kubeconfig = await world.plane.kubeconfigFor({ namespace, name: "reader" });

    const { code, notes } = await runOnline(["restore", "--list"], kubeconfig);

    assert.equal(code, 2);
    assert.match(
      notes.join("\n"),
      /you lack permission to get secrets keyvault-injector\/keyvault-injector-sync-key, .*ask for permission to get Secret/,
    );
  });

  test("restores the others where the API server refuses one", async () => {
    await without("first", "second");
    const rule = {
      apiGroups: ["secrets-store.csi.x-k8s.io"],
      apiVersions: ["v1"],
      operations: ["CREATE"],
      resources: ["secretproviderclasses"],
    };
    const policy = {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingAdmissionPolicy",
      metadata: { name: "no-first" },
      spec: {
        matchConstraints: { resourceRules: [rule] },
        validations: [{ expression: "object.metadata.name != 'first'", message: "not this one" }],
      },
    };
    const binding = {
      apiVersion: policy.apiVersion,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name: "no-first" },
      spec: { policyName: "no-first", validationActions: ["Deny"] },
    };
    await kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: [policy, binding] }));
    await eventually(async () => (await states(`${namespace}/first`, "--dry-run"))[0] === "first refused", { what: "the policy" });

    assert.deepEqual(
      (await states("--all", "-n", namespace)).filter((reported) => !reported.endsWith("refused")),
      ["second created", "third kept"],
    );

    assert.equal(await classNamed("first"), undefined);
    await kubectl(["delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", "no-first"]);
  });

  test("names what it needs where nothing, too much, or no snapshot is named", async () => {
    for (const [args, words] of [
      [[], /specify --list, --all, or one class as NAMESPACE\/NAME$/],
      [["--list", "--all"], /--list and --all contradict each other; specify one of them$/],
      [["--all", "first"], /--all and first contradict each other; specify one of them$/],
    ] as const) {
      const { code, notes } = await restore(...args);
      assert.equal(code, 2);
      assert.match(notes.join(""), words);
    }
    assert.match((await restore("--list", "--force")).notes.join(""), /--list restores nothing; remove one of the two$/);
    assert.match(
      (await restore(`${namespace}/nobody`)).notes.join(""),
      /^keyvault-injector restore: no snapshot of class \S+\/nobody exists; /,
    );
    assert.match((await restore("a/b/c")).notes.join(""), /names no class; write NAMESPACE\/NAME$/);
  });

  test("leaves Secrets alone and prints no key and no value", async () => {
    assert.ok((await dataOf(world.plane, namespace, "first")) !== undefined);
    const key = await find<KubeObject & { readonly data: Readonly<Record<string, string>> }>(
      world.plane,
      secretPath("keyvault-injector", "keyvault-injector-sync-key"),
    );
    const encoded = key?.data["hmac.key"] ?? "";
    const values = [
      "a value that no output may hold",
      encoded,
      Buffer.from(encoded, "base64").toString("hex"),
      world.principal.clientSecret,
    ];

    assert.deepEqual(
      findLeaks(
        values,
        printed.map((text, index) => ({ name: `output ${index}`, text })),
      ),
      [],
    );
    assert.equal(findLeaks(values, [{ name: "planted", text: `${printed[0] ?? ""}${encoded}` }]).length > 0, true);
  });
});
