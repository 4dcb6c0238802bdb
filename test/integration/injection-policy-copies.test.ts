import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { apiRequest } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { type Json, range, tryPod } from "../support/cluster/injection-policy.ts";
import { aNamespace } from "../support/cluster/namespace.ts";
import { policyRuns } from "../support/cluster/policy-runs.ts";
import { at, listAt } from "../support/cluster/shipped-manifests.ts";
import { aPod, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { eventually } from "../support/time/eventually.ts";
import { copyOf, mountsOf, startPolicyPlane } from "./injection-policy/policy-plane.ts";

const refusal = controlPlaneRefusal();

let plane: ControlPlane;

const create = (pod: Json, namespace?: string) => tryPod(plane, pod, namespace);

/** A pod that claims to be injected, but has only the volume. */
const forged = (annotations: Readonly<Record<string, string>>, reference: object = { name: "secrets-store-creds" }): Json => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { labels: prefixed({ injected: "true" }), annotations: prefixed({ ...OPTED_IN, status: "{}", ...annotations }) },
  spec: {
    containers: [{ name: "app", image: "i" }],
    volumes: [
      {
        name: "secrets-store-inline",
        csi: {
          driver: "secrets-store.csi.k8s.io",
          readOnly: true,
          volumeAttributes: { secretProviderClass: OPTED_IN["secret-provider-class"] },
          nodePublishSecretRef: reference,
        },
      },
    ],
  },
});

const MOUNT = { name: "secrets-store-inline", mountPath: "/mnt/secrets-store", readOnly: true };

const referenceIn = (pod: unknown): unknown => at(listAt(pod, "spec", "volumes")[0], "csi", "nodePublishSecretRef", "name");

/** Values of `containers` that select no container, or name a container that does not exist. */
const NOBODY = ["", ",", "-", "-app", "nosuch", "app,nosuch", "Ba d!", "app,-app"];

describe("pods that come with marks of injection", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    plane = await startPolicyPlane();
    await aNamespace(plane, "other");
    await plane.kubectl(["annotate", "namespace", "other", "keyvault-injector.dev/credentials-secret=other"]);
    await aNamespace(plane, "variables");
    await plane.kubectl(["annotate", "namespace", "variables", "keyvault-injector.dev/env-from=settings"]);
    await aNamespace(plane, "nobody");
    await plane.kubectl(["annotate", "namespace", "nobody", "keyvault-injector.dev/containers=nosuch"]);
  });

  after(async () => {
    await plane?.stop();
  });

  test("looks anew at a pod that was copied from a running one, and then changed", async () => {
    const { body } = await create(
      aPod(
        { ...OPTED_IN, containers: "app" },
        {
          containers: [
            { name: "app", image: "i" },
            { name: "log", image: "i" },
          ],
        },
      ),
    );
    const copy = (annotations: Readonly<Record<string, string>>): Json => copyOf(body, annotations);
    const more = await create(copy({ containers: "app,log" }));
    const variables = await create(copy({ "env-from": "settings" }));
    const other = await create(copy({ "credentials-secret": "other" }));
    const second = await create(copy({ "secret-provider-class": "akvprovider-demo,second", "mount-path": "second=/second" }));

    assert.deepEqual(mountsOf(listAt(more.body, "spec", "containers")[1]), ["/mnt/secrets-store"]);
    assert.equal(at(listAt(listAt(variables.body, "spec", "containers")[0], "envFrom")[0], "secretRef", "name"), "settings");
    assert.match(String(at(other.body, "message")), /has nodePublishSecretRef "secrets-store-creds" \(expected: "other"\)/);
    assert.equal(listAt(second.body, "spec", "volumes").filter((volume) => at(volume, "csi") !== undefined).length, 2);
  });

  test("leaves a copy of a running pod its reference, where only its Namespace says another", async () => {
    const { body } = await create(aPod(OPTED_IN));
    const before = await policyRuns(plane);
    const copied = await create(copyOf(body, {}), "other");
    const [volume] = listAt(copied.body, "spec", "volumes");

    assert.equal(at(volume, "csi", "nodePublishSecretRef", "name"), "secrets-store-creds");
    assert.equal((await policyRuns(plane)) - before, 0);
  });

  test("takes no status for its own that a pod comes with", async () => {
    const status = "refused: by the pod's author";
    const right = await create(aPod({ ...OPTED_IN, status }));
    const wrong = await create(aPod({ ...OPTED_IN, status, "mount-path": "relative" }));
    const off = await create(aPod({ inject: "false", status }));

    assert.equal(right.status, 201);
    assert.match(String(at(right.body, "metadata", "annotations", "keyvault-injector.dev/status")), /^\{"version"/);
    assert.match(String(at(wrong.body, "message")), /mount-path is "relative": write an absolute path/);
    assert.equal(off.status, 201);
  });

  test("AT3: a copy from another Namespace does without no variables that this one asks for", async () => {
    const { body } = await create(aPod(OPTED_IN));
    const fresh = await create(aPod(OPTED_IN), "variables");
    const copied = await create(copyOf(body), "variables");

    assert.equal(at(listAt(listAt(fresh.body, "spec", "containers")[0], "envFrom")[0], "secretRef", "name"), "settings");
    assert.match(String(at(copied.body, "message")), /env-from is set, but no container has envFrom of Secret settings/);
  });

  test("AT4: a pod that nobody mounts anything in is injected or refused, whatever it says of its containers", async () => {
    const plain = await create(forged({}));
    const more = await create(forged({ "env-from": "settings" }));

    assert.deepEqual(mountsOf(listAt(plain.body, "spec", "containers")[0]), ["/mnt/secrets-store"]);
    assert.equal(listAt(listAt(more.body, "spec", "containers")[0], "envFrom").length, 1);
    for (const containers of NOBODY) assert.equal((await create(forged({ containers }))).status, 422, containers);
  });

  test("AT13: a list of Secrets that is too long, or has a blank item, is not there by some source of a ConfigMap", async () => {
    const many = range(32).map((index) => `s${index}-${"x".repeat(35)}`);
    const source = { configMapRef: { name: "settings" } };
    const withSource = (annotations: Readonly<Record<string, string>>): Json => {
      const pod = forged(annotations);
      const { volumes } = pod["spec"] as { readonly volumes: readonly object[] };
      return { ...pod, spec: { volumes, containers: [{ name: "app", image: "i", envFrom: [source], volumeMounts: [MOUNT] }] } };
    };
    const long = await create(withSource({ "env-from": many.join(",") }));
    const tooMany = await create(
      withSource({
        "env-from": range(70)
          .map((index) => `s${index}`)
          .join(","),
      }),
    );

    assert.equal(listAt(listAt(long.body, "spec", "containers")[0], "envFrom").length, 1 + many.length, JSON.stringify(long.body));
    for (const blank of ["", " ", ",", ",db,", "db,,"]) assert.equal((await create(withSource({ "env-from": blank }))).status, 422, blank);
    assert.equal(tooMany.status, 422);
  });

  test("AT14: whom a pod selects is looked at where it comes with everything somewhere", async () => {
    const containers = [
      { name: "app", image: "i", volumeMounts: [MOUNT] },
      { name: "log", image: "i" },
    ];
    const half = (annotations: Readonly<Record<string, string>>): Json => {
      const pod = forged(annotations);
      return { ...pod, spec: { ...Object(pod["spec"]), containers } };
    };
    const both = await create(half({ containers: "app,log" }));

    assert.deepEqual(mountsOf(listAt(both.body, "spec", "containers")[1]), ["/mnt/secrets-store"]);
    for (const wrong of [...NOBODY, "apps", "-app,-log", "nosuch,-log"]) {
      // `-app` correctly excludes app and leaves the one container that mounts the volume.
      const isRight = wrong === "-app";
      assert.equal((await create(half({ containers: wrong }))).status, isRight ? 201 : 422, wrong);
    }
    assert.equal((await create(half({ "mount-path": "relative", containers: "app,log" }))).status, 422);
    assert.equal((await create(half({}), "nobody")).status, 422);
  });

  test("AT15: a container that comes after the injection has what the Namespace asks for", async () => {
    const containers = [
      { name: "app", image: "i", volumeMounts: [MOUNT], envFrom: [{ secretRef: { name: "settings" } }] },
      { name: "log", image: "i", volumeMounts: [MOUNT], envFrom: [{ configMapRef: { name: "log" } }] },
    ];
    const pod = forged({});
    const { body } = await create({ ...pod, spec: { ...Object(pod["spec"]), containers } }, "variables");
    const later = listAt(listAt(body, "spec", "containers")[1], "envFrom");

    assert.equal(at(later[1], "secretRef", "name"), "settings", JSON.stringify(body));
  });

  test("AT16: what follows the last item that is looked at is no name, nor left out", async () => {
    const names = [...range(15).map((index) => `c${index}`), "app", "x"];
    const containers = names.map((name) => ({ name, image: "i", ...(name === "app" ? {} : { volumeMounts: [MOUNT] }) }));
    const pod = forged({ containers: [...range(15).map((index) => `c${index}`), "-x", "app"].join(",") });
    const { body } = await create({ ...pod, spec: { ...Object(pod["spec"]), containers } });

    assert.deepEqual(mountsOf(listAt(body, "spec", "containers")[15]), ["/mnt/secrets-store"], JSON.stringify(body));
  });

  test("AT17: a Namespace's list for more classes than are looked at is refused, and one for foreign classes is not in the way", async () => {
    const others = (count: number, name: string): string =>
      range(count)
        .map((index) => `${name}-${index}=other`)
        .join(",");
    const values = {
      long: `${OPTED_IN["secret-provider-class"]}=mine,${others(520, "team")}`,
      alike: `${OPTED_IN["secret-provider-class"]}=mine,${others(70, OPTED_IN["secret-provider-class"])}`,
    };
    for (const [name, value] of Object.entries(values)) {
      await aNamespace(plane, name);
      await plane.kubectl(["annotate", "namespace", name, `keyvault-injector.dev/credentials-secret=${value}`]);
    }
    const isKnown = async (): Promise<boolean> => referenceIn((await create(aPod(OPTED_IN), "alike")).body) === "mine";
    await eventually(isKnown, { what: "the default of the Namespace" });
    const long = await create(aPod(OPTED_IN), "long");

    assert.equal(long.status, 422, JSON.stringify(long.body));
    assert.match(String(at(long.body, "message")), /more than 512 items or 70000 characters/);
  });

  test("AT12: a reference to a Secret named none is not the word for no reference", async () => {
    const { body } = await create(forged({ "credentials-secret": "none" }, { name: "none" }));

    assert.match(String(at(body, "message")), /has nodePublishSecretRef "none" \(expected: none\)/);
  });

  test("AT8: a refusal shows no character that a terminal obeys", async () => {
    for (const path of ["\u001b[2J\u001b[31mall fine\u0007", "a\u202eb", "a\u2028c", "a\u0085b", "a\u00a0b"]) {
      const message = String(at((await create(aPod({ ...OPTED_IN, "mount-path": path }))).body, "message"));

      assert.match(message, /mount-path is "\(characters that cannot be shown\)": /);
      assert.doesNotMatch(message, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }
  });

  test("AT10: a pod without containers is refused by what it lacks", async () => {
    const { body } = await create({ ...aPod(OPTED_IN), spec: {} });

    assert.match(String(at(body, "message")), /spec\.containers: Required value/);
  });

  test("AT5: the worker may not run anything in the webhook's name, with the guard or without", async () => {
    const as = "system:serviceaccount:keyvault-injector:keyvault-injector-sync";
    const labels = { app: "evil" };
    const body = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "keyvault-injector-webhook", namespace: "keyvault-injector" },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { hostPID: true, containers: [{ name: "x", image: "evil" }] } },
      },
    };
    const tried = async (): Promise<string> => {
      const path = `/apis/apps/v1/namespaces/keyvault-injector/deployments/keyvault-injector-webhook?fieldManager=keyvault-injector&dryRun=All`;
      const answer = await apiRequest(plane, { method: "PATCH", path, contentType: "application/apply-patch+yaml", body, as });
      return String(at(answer.body, "message"));
    };
    // If two policies reject a request, the error names either of them.
    const deniers = async (): Promise<ReadonlySet<string | undefined>> => {
      const messages = await Promise.all(Array.from({ length: 20 }, tried));
      return new Set(messages.map((message) => /ValidatingAdmissionPolicy '([^']+)'/.exec(message)?.[1]));
    };
    assert.ok(!(await deniers()).has(undefined));

    await plane.kubectl(["delete", "validatingadmissionpolicybinding", "keyvault-injector-sync-no-webhook"]);
    const isOver = async (): Promise<boolean> => !(await deniers()).has("keyvault-injector-sync-no-webhook");
    await eventually(isOver, { within: 30_000, every: 500, what: "the guard's end" });

    assert.deepEqual([...(await deniers())], ["keyvault-injector-sync-pods"]);
  });

  test("AT4: the final check alone refuses them all, where nobody injects", async () => {
    const { body } = await create(aPod(OPTED_IN));
    await plane.kubectl(["delete", "mutatingadmissionpolicybinding", "keyvault-injector-injection"]);
    await eventually(async () => (await create(aPod(OPTED_IN))).status === 422, { what: "the policy's end" });

    for (const containers of NOBODY) assert.equal((await create(forged({ containers }))).status, 422, containers);
    assert.equal((await create(copyOf(body))).status, 201, "the control: one that is whole");
    assert.equal((await create(copyOf(body), "variables")).status, 422);
  });
});
