import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { InstallReport } from "../../src/cli/doctor/report.ts";
import { runOnline } from "../support/cli/cli.ts";
import { type ControlPlane, controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { type Json, range, tryPod } from "../support/cluster/injection-policy.ts";
import { policyRuns } from "../support/cluster/policy-runs.ts";
import { at, listAt } from "../support/cluster/shipped-manifests.ts";
import { aPod, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { eventually } from "../support/time/eventually.ts";
import { LATER, laterPolicy } from "./injection-policy/later-container.ts";
import { mountsOf, startPolicyPlane } from "./injection-policy/policy-plane.ts";

const refusal = controlPlaneRefusal();

let plane: ControlPlane;
const create = (pod: Json, namespace?: string) => tryPod(plane, pod, namespace);

const withLabels = (pod: Json, labels: Readonly<Record<string, string>>): Json => ({
  ...pod,
  metadata: { ...Object(pod["metadata"]), labels },
});

interface LargePod {
  readonly containers: number;
  readonly classes: number;
  readonly mounts: number;
  /** Length of each class's mount path. */
  readonly path?: number;
  /** Limit that rejects the pod. Undefined if the pod is injected. */
  readonly refused?: RegExp;
}

const COMPARED = /mounts of their own and \d+ classes are more than a policy can compare: name fewer containers/;
const TOO_LARGE = /a pod of \d+ containers, \d+ volumes and \d+ classes .* is more than a policy can check: make it smaller/;

const LARGE: readonly LargePod[] = [
  { containers: 40, classes: 16, mounts: 10 },
  { containers: 100, classes: 3, mounts: 10 },
  { containers: 500, classes: 1, mounts: 3 },
  { containers: 1_900, classes: 1, mounts: 0 },
  { containers: 200, classes: 8, mounts: 20, refused: TOO_LARGE },
  { containers: 1_500, classes: 1, mounts: 5, refused: TOO_LARGE },
  { containers: 700, classes: 1, mounts: 6, refused: COMPARED },
  { containers: 5_000, classes: 1, mounts: 0, refused: TOO_LARGE },
  { containers: 1, classes: 16, mounts: 0, path: 3_900, refused: /the mount paths of 16 classes are longer than a policy can compare/ },
];

describe("the policy that injects", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    plane = await startPolicyPlane(...laterPolicy);
    const isThere = async (): Promise<boolean> =>
      listAt((await create(withLabels(aPod({}), { later: "sidecar" }))).body, "spec", "containers").length === 2;
    await eventually(isThere, { within: 30_000, every: 100, what: "the policy of somebody else" });
  });

  after(async () => {
    await plane?.stop();
  });

  test("is carried out once for a pod that nobody else changes, with every annotation as well", async () => {
    const everything = {
      ...OPTED_IN,
      "secret-provider-class": "one, two",
      "credentials-secret": "one=creds,two=none",
      "mount-path": "one=/kv/one,two=/kv/two",
      "volume-name": "kv",
      containers: "-log",
      "env-from": "settings",
    };
    const containers = [
      { name: "app", image: "i" },
      { name: "log", image: "i" },
    ];
    for (const pod of [aPod(OPTED_IN), aPod(everything, { containers })]) {
      const before = await policyRuns(plane);
      const { status } = await create(pod);

      assert.equal(status, 201);
      assert.equal((await policyRuns(plane)) - before, 1);
    }
  });

  test("adds to a container that another policy brings, before it or after it", async (context) => {
    const pod = withLabels(aPod({ ...OPTED_IN, "env-from": "settings" }), { later: "sidecar" });
    const seen = new Set<number>();
    // The API server calls policies in its own random order, and draws the order again whenever a policy changes.
    for (let draw = 0; draw < 50 && seen.size < 2; draw += 1) {
      await plane.kubectl(["annotate", "--overwrite", "mutatingadmissionpolicy", LATER, `draw=${draw}`]);
      const before = await policyRuns(plane);
      const { body } = await create(pod);
      const [, sidecar] = listAt(body, "spec", "containers");
      seen.add((await policyRuns(plane)) - before);

      assert.deepEqual(mountsOf(sidecar), ["/mnt/secrets-store"]);
      assert.equal(at(listAt(sidecar, "envFrom")[0], "secretRef", "name"), "settings");
    }
    context.diagnostic(`carried out so many times for a pod: ${[...seen].toSorted((a, b) => a - b).join(", ")}`);
    assert.ok(seen.has(2), "it never came after ours");
  });

  test("leaves one alone that the pod leaves out, whoever brings it", async () => {
    for (const containers of ["-sidecar", "app"]) {
      const { body } = await create(withLabels(aPod({ ...OPTED_IN, containers }), { later: "sidecar" }));
      const [app, sidecar] = listAt(body, "spec", "containers");

      assert.deepEqual([mountsOf(app), mountsOf(sidecar)], [["/mnt/secrets-store"], []], containers);
    }
  });

  test("takes no list apart that is too long for the API server's time, and says which", async () => {
    const names = Array.from({ length: 65 }, (_, index) => `n${index}`);
    const long = "x".repeat(9_000);
    const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
      [{ containers: names.join(",") }, /containers is .*: "\(more than 64 items or 8192 characters\)" is not a valid container name/],
      [{ containers: long }, /containers is .*: "\(more than 64 items or 8192 characters\)" is not a valid container name/],
      [{ "env-from": long }, /env-from is .*: "\(more than 64 items or 8192 characters\)" is not a valid Secret name/],
      [
        { "secret-provider-class": long },
        /secret-provider-class is .*: "\(more than 64 items or 8192 characters\)" is not a valid object name/,
      ],
      [{ "mount-path": names.map((name) => `${name}=/x`).join(",") }, /mount-path is .*names no class/],
      [{ "mount-path": `a=/${"x".repeat(70_000)}` }, /mount-path is .*names no class/],
      [{ "credentials-secret": `a=${"x".repeat(70_000)}` }, /credentials-secret is .*names no class/],
    ];
    for (const [annotations, said] of cases) {
      const { status, body } = await create(aPod({ ...OPTED_IN, ...annotations }));
      const [name] = Object.keys(annotations);

      assert.equal(status, 422, name);
      assert.match(String(at(body, "message")), said, name);
    }
  });

  test("a pod that is too large for the policy is refused with what to do, and none passes uninjected", async (context) => {
    const large = ({ containers, classes, mounts, path }: LargePod): Json => {
      const volumeMounts = range(mounts).map((index) => ({ name: `v${index}`, mountPath: `/data/of/the/team/${index}` }));
      const list = range(classes).map((index) => `class-${index}`);
      const paths = path === undefined ? {} : { "mount-path": list.map((name) => `${name}=/${name}/${"x".repeat(path)}`).join(",") };
      const annotations = prefixed({ ...OPTED_IN, "secret-provider-class": list.join(","), ...paths });
      return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { annotations },
        spec: {
          volumes: range(mounts).map((index) => ({ name: `v${index}`, emptyDir: {} })),
          containers: range(containers).map((index) => ({ name: `c${index}`, image: "i", volumeMounts })),
        },
      };
    };
    for (const { refused, ...size } of LARGE) {
      const { status, body } = await create(large(size));
      const shown = `${size.containers} containers, ${size.classes} classes, ${size.mounts} mounts of each container`;
      context.diagnostic(`${shown}: ${status === 201 ? "injected" : "refused"}`);
      if (refused !== undefined) assert.match(String(at(body, "message")), refused, shown);
      else assert.equal(listAt(body, "spec", "volumes").filter((volume) => at(volume, "csi") !== undefined).length, size.classes, shown);
    }
  });

  test("doctor and explain know the mode, and miss no webhook where policies inject", async () => {
    const { output } = await runOnline(["doctor", "-o", "json", "--no-vaults", "-n", "default"], plane.kubeconfigPath);
    const { findings } = JSON.parse(output) as InstallReport;
    const statesOf = (...checks: readonly string[]) =>
      Object.fromEntries(
        checks.map((name) => [name, [...new Set(findings.filter(({ check }) => check === name).map(({ state }) => state))]]),
      );
    const pod = { ...aPod(OPTED_IN), metadata: { name: "asked", annotations: prefixed(OPTED_IN) } };
    await plane.kubectl(["create", "-n", "default", "-f", "-"], JSON.stringify(pod));
    const asked = await runOnline(["explain", "pod/asked", "-n", "default"], plane.kubeconfigPath);

    assert.deepEqual(
      statesOf("webhook", "injection", "policies", "namespaces", "preflight", "certificates", "authority"),
      {
        webhook: ["OK"],
        injection: ["OK"],
        policies: ["OK"],
        namespaces: ["OK"],
        preflight: ["SKIP"],
        certificates: ["SKIP"],
        authority: ["SKIP"],
      },
      JSON.stringify(findings, null, 1),
    );
    assert.ok(!findings.some(({ message }) => message.includes("keyvault-injector-webhook")), JSON.stringify(findings, null, 1));
    assert.match(asked.output, /the policy keyvault-injector-injection injects/);
  });

  test("AT6: an uninstall names the overlay that policies came with", async () => {
    const { output } = await runOnline(["uninstall", "--prepare"], plane.kubeconfigPath);
    await runOnline(["uninstall", "--undo"], plane.kubeconfigPath);

    assert.match(output, /kubectl delete -k manifests\/overlays\/policy /);
  });

  test("AT7: doctor says that somebody has changed the policy, whatever it was", async () => {
    const found = async () => {
      const { output } = await runOnline(["doctor", "-o", "json", "--no-vaults", "-n", "default"], plane.kubeconfigPath);
      const { findings } = JSON.parse(output) as InstallReport;
      return findings.filter(({ check }) => check === "webhook").map(({ state, message }) => `${state} ${message}`);
    };
    const patches = [
      [{ op: "replace", path: "/spec/reinvocationPolicy", value: "Never" }],
      [{ op: "replace", path: "/spec/matchConditions/2/expression", value: "request.namespace != 'team'" }],
      [{ op: "replace", path: "/spec/mutations/0/jsonPatch/expression", value: "[JSONPatch{op: 'add', path: ''}].filter(none, false)" }],
    ];
    const policy = ["mutatingadmissionpolicy", "keyvault-injector-injection"];
    const apply = (patch: readonly object[]) => plane.kubectl(["patch", ...policy, "--type=json", "-p", JSON.stringify(patch)]);
    const { spec } = JSON.parse(await plane.kubectl(["get", ...policy, "-o", "json"])) as Json;
    const [asShipped = ""] = await found();
    for (const patch of patches) {
      await apply(patch);

      assert.deepEqual(await found(), [
        "WARN the policy keyvault-injector-injection differs from the one that this version of the command ships",
      ]);

      await apply([{ op: "replace", path: "/spec", value: spec }]);
      assert.deepEqual(await found(), [asShipped]);
    }
    assert.match(asShipped, /^OK /);
  });
});
