import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkNetwork } from "../../src/cli/doctor/class/network.ts";
import { checkStatus } from "../../src/cli/doctor/class/secrets.ts";
import { reportedWalk, walkClass } from "../../src/cli/doctor/class/walk.ts";
import { answerClasses } from "../../src/cli/doctor/command.ts";
import { type ClassContext, workerSettings } from "../../src/cli/shared/class-context.ts";
import { settingsOf } from "../../src/cli/shared/settings-in-force.ts";
import { shown } from "../../src/cli/shared/terminal.ts";
import { workerCode } from "../../src/cli/shared/worker-code.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { holding } from "../support/worker/held-objects.ts";
import { classOf, opaque } from "../support/worker/sync-world.ts";

const provider = classOf(
  { vault: "demo-vault", tenantId: "00000000-0000-4000-8000-000000000001" },
  { namespace: "team-x", name: "app", objects: ["object"], secretObjects: [opaque("app", "object")] },
);
const status = {
  observedGeneration: 1,
  secrets: [],
  conditions: [{ type: "Synced", status: "False", reason: "Unreachable", message: "no answer" }],
};
const statusObject = {
  apiVersion: "keyvault-injector.dev/v1alpha1",
  kind: "SecretProviderClassSync",
  metadata: { namespace: "team-x", name: "app" },
  status,
};
const failing: Manifest = statusObject;

async function contextOf(objects: readonly Manifest[]): Promise<ClassContext> {
  const settings = workerSettings(settingsOf(undefined));
  const parts = {
    reportProgress: () => undefined,
    viewer: holding(objects),
    install: { namespace: "keyvault-injector", settings, fingerprints: undefined },
    worker: await workerCode(),
    signal: AbortSignal.timeout(5_000),
  };
  return { ...parts, azure: undefined } as unknown as ClassContext; // The checks use neither a vault nor a clock.
}

describe("F4: a name that is not found", () => {
  const address = { vaultUrl: "https://demo-vault.vault.azure.net", authorityHost: "https://login.microsoftonline.com" };
  const reading = async (signsIn: boolean) => {
    const azure = { reach: async () => ({ reach: { kind: "unresolved" }, proxy: undefined }) };
    const given = [azure, address, { signsIn, signal: AbortSignal.timeout(5_000) }] as unknown as Parameters<typeof checkNetwork>;
    return (await checkNetwork(...given))[0];
  };

  test("is put down to DNS or the way out first, where it is the sign-in service's", async () => {
    const finding = await reading(true);

    assert.equal(finding?.leaf, "host-unresolved");
    assert.match(finding.fix ?? "", /^Repair DNS or the network access of this machine.*correct cloudName of the class only if/);
  });

  test("is put down to the vault first, where it is the vault's", async () => {
    assert.match((await reading(false))?.fix ?? "", /^Create the vault demo-vault, or correct keyvaultName/);
  });
});

describe("F4: the totals of doctor class", () => {
  test("count the lines that were printed", async () => {
    const objects = [
      { ...provider, apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass" } as unknown as Manifest,
      failing,
    ];
    const named = { namespace: "team-x", name: "app" };

    const { text } = await answerClasses(await contextOf(objects), named);
    const output = shown(text, { hasColour: false });

    const printed = (state: string): number => output.split("\n").filter((line) => line.startsWith(`  ${state}`)).length;
    assert.ok(printed("OK") > 0 && printed("FAIL") > 0, output);
    assert.ok(
      output.endsWith(`\n${printed("OK")} OK, ${printed("WARN")} WARN, ${printed("FAIL")} FAIL, ${printed("SKIP")} SKIP\n`),
      output,
    );
  });
});

describe("R11: the command that doctor prints for a failing class", () => {
  test("is one that explain takes", async () => {
    const { finding } = await checkStatus(await contextOf([failing]), provider);

    assert.match(finding.fix ?? "", /keyvault-injector explain spc\/app -n team-x\.$/);
  });
});

describe("N2: a vault that this machine does not reach", () => {
  const condition = (type: string, status: string, reason: string) => ({ type, status, reason, message: `says ${reason}` });
  const creds: Manifest = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "team-x", name: "secrets-store-creds" },
    data: { clientid: "YQ==", clientsecret: "YQ==" },
  };
  const walked = async (synced: [string, string], fresh: [string, string], { isInCluster = false, unreached = /./ } = {}) => {
    const conditions = [condition("Synced", ...synced), condition("Fresh", ...fresh)];
    const context = await contextOf([creds, { ...statusObject, status: { ...status, conditions } }]);
    const reach = async ({ host }: { readonly host: string }) => ({
      reach: { kind: unreached.test(host) ? "unresolved" : "reached" },
      proxy: undefined,
    });
    const azure = { reach, isInCluster, readCloudFile: undefined };
    const walk = reportedWalk(await walkClass({ ...context, azure } as unknown as ClassContext, provider)); // The checks end at the step "network".
    return { ...walk, network: walk.findings.findLast(({ step }) => step === "network")?.state };
  };

  test("is no failure of a class that the worker mirrors", async () => {
    const { state, network, next } = await walked(["True", "Synced"], ["True", "Synced"]);

    assert.deepEqual([state, network], ["SKIP", "SKIP"]);
    assert.match(next ?? "", /kubectl exec -n keyvault-injector deploy\/keyvault-injector-sync -- .* doctor class team-x\/app$/);
  });

  for (const reason of ["ObjectNotFound", "Conflict"]) {
    test(`does not hide what the worker says: ${reason}`, async () => {
      const fresh: [string, string] = reason === "Conflict" ? ["True", "Synced"] : ["False", reason];
      const { state, network, next } = await walked(["False", reason], fresh);

      assert.deepEqual([state, network], ["FAIL", "SKIP"]);
      assert.match(next ?? "", new RegExp(`^Do what the status says \\(${reason}: says ${reason}\\)`));
    });
  }

  test("NC-5: of the sign-in does not hide that the sign-in refused the worker", async () => {
    const refused: [string, string] = ["False", "Unauthorized"];
    const { state, network, next, findings } = await walked(refused, refused);

    assert.deepEqual([state, network], ["FAIL", "SKIP"]);
    assert.match(next ?? "", /^Do what the status says \(Unauthorized: says Unauthorized\)/);
    assert.match(
      findings.find(({ leaf }) => leaf === "network-elsewhere")?.message ?? "",
      /; the worker's last check was answered with Unauthorized, so this concerns only this machine$/,
    );
  });

  test("NC-5: is still the failure where only the vault is not reached, of which an answer of the sign-in proves nothing", async () => {
    const refused: [string, string] = ["False", "Unauthorized"];
    const { network, next } = await walked(refused, refused, { unreached: /vault/ });

    assert.equal(network, "FAIL");
    assert.match(next ?? "", /^Create the vault demo-vault/);
  });

  for (const reason of ["Unreachable", "Stale"]) {
    test(`is the failure where the worker has no answer either: ${reason}`, async () => {
      const { network, next } = await walked(["False", reason], ["False", reason]);

      assert.equal(network, "FAIL");
      assert.match(next ?? "", /^Repair DNS/);
    });
  }

  test("is the failure where the worker's own pod is this machine", async () => {
    assert.equal((await walked(["True", "Synced"], ["True", "Synced"], { isInCluster: true })).network, "FAIL");
  });
});

describe("NB5: a vault that this machine does not reach, of a class that is only mounted", () => {
  const creds: Manifest = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "team-x", name: "secrets-store-creds" },
    data: { clientid: "YQ==", clientsecret: "YQ==" },
  };
  const spc = {
    ...provider,
    metadata: {
      ...provider.metadata,
      creationTimestamp: "2026-01-08T00:00:00Z", // Restored.
      managedFields: [
        { manager: "kubectl", time: "2026-01-02T00:00:00Z", fieldsV1: { "f:spec": {} } },
        { manager: "other", time: "2026-01-09T00:00:00Z", fieldsV1: { "f:metadata": {} } },
      ],
    },
    spec: { ...provider.spec, secretObjects: [] },
  } as typeof provider;
  const podStatus = (className: string, mounted: boolean, at: string): Manifest =>
    ({
      apiVersion: "secrets-store.csi.x-k8s.io/v1",
      kind: "SecretProviderClassPodStatus",
      metadata: { namespace: "team-x", name: `web-${className}`, creationTimestamp: at },
      status: { podName: "web-1", secretProviderClassName: className, mounted, objects: [] },
    }) as unknown as Manifest; // The status has the fields of its own kind.
  const walked = async (seen: Manifest, isInCluster = false) => {
    const azure = { reach: async () => ({ reach: { kind: "unresolved" }, proxy: undefined }), isInCluster, readCloudFile: undefined };
    const context = { ...(await contextOf([creds, seen])), azure };
    const { findings } = await walkClass(context as unknown as ClassContext, spc); // The checks end at the step "network".
    return findings.find(({ step }) => step === "network");
  };

  test("NU7: is no failure where a pod has the class mounted as it is now, also if its CRD was restored since", async () => {
    const finding = await walked(podStatus("app", true, "2026-01-02T00:00:00Z"));

    assert.equal(finding?.leaf, "network-elsewhere");
    assert.match(finding.message, /; pod web-1 has the class mounted, so this concerns only this machine$/);
    assert.match(finding.fix ?? "", /^Check from the worker's own pod: kubectl exec /);
  });

  for (const [where, seen, isInCluster] of [
    ["the mount failed", podStatus("app", false, "2026-01-02T00:00:00Z"), false],
    ["the pod mounts another class", podStatus("other", true, "2026-01-02T00:00:00Z"), false],
    ["the class was edited since", podStatus("app", true, "2026-01-01T12:00:00Z"), false],
    ["this machine is the worker's own pod", podStatus("app", true, "2026-01-02T00:00:00Z"), true],
  ] as const) {
    test(`is the failure where ${where}`, async () => {
      assert.equal((await walked(seen, isInCluster))?.leaf, "host-unresolved");
    });
  }
});

describe("NC1: what doctor says to do for a Secret that does not exist", () => {
  interface Said {
    readonly state: string;
    readonly message?: string;
    readonly version?: string;
    readonly synced?: readonly [status: string, reason: string, message: string];
    readonly observedGeneration?: number;
  }
  const creds: Manifest = { apiVersion: "v1", kind: "Secret", metadata: { namespace: "team-x", name: "secrets-store-creds" } };
  const walked = async ({ state, message, version, synced = ["False", state, message ?? ""], observedGeneration = 1 }: Said) => {
    const [is, reason, text] = synced;
    const conditions = [{ type: "Synced", status: is, reason, message: text }];
    const data = version === undefined ? [] : [{ key: "value", object: "secret/object", version }];
    const secrets = [{ name: "app", state, ...(message === undefined ? {} : { message }), data }];
    const context = await contextOf([creds, { ...statusObject, status: { observedGeneration, conditions, secrets } }]);
    return reportedWalk(await walkClass(context, { ...provider, metadata: { ...provider.metadata, generation: 1 } }));
  };

  for (const [what, said, next] of [
    [
      "the object is missing",
      { state: "ObjectNotFound", message: "secret/objct: create it" },
      /^Do what the status says \(ObjectNotFound: secret\/objct: create it\); .* explain spc\/app -n team-x\.$/,
    ],
    [
      "the class is wrong as a whole",
      { state: "InvalidClass", synced: ["False", "InvalidClass", "write array:"] },
      /^Do what the status says \(InvalidClass: write array:\)/,
    ],
    [
      "it was written before",
      { state: "Forbidden", version: "v1", synced: ["False", "Forbidden", "grant it"] },
      /^Do what the status says \(Forbidden: grant it\)/,
    ],
    [
      "its class was edited since",
      { state: "InvalidClass", synced: ["False", "InvalidClass", "write array:"], observedGeneration: 0 },
      /^Wait a moment, then check again\.$/,
    ],
  ] as const) {
    test(`is what its reason asks for, where ${what}`, async () => {
      const walk = await walked(said);

      assert.equal(walk.state, "FAIL");
      assert.ok(walk.findings.some(({ leaf }) => leaf === "secret-absent"));
      assert.match(walk.next ?? "", next);
      assert.doesNotMatch(walk.next ?? "", /lease/);
    });
  }

  test("is to look for the worker, where the status says that it was written", async () => {
    const { next } = await walked({ state: "Synced", version: "v1", synced: ["True", "Synced", "1 of 1"] });

    assert.match(next ?? "", /^Make sure that a worker leads.*lease/);
  });
});

describe("NB10: what doctor says of a Secret that was written from another object than the class names", () => {
  const walked = async (object: string) => {
    const state = "ObjectNotFound";
    const conditions = [{ type: "Synced", status: "False", reason: state, message: "create it" }];
    const secrets = [{ name: "app", state, data: [{ key: "value", object, version: "v1" }] }];
    const secret: Manifest = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        namespace: "team-x",
        name: "app",
        labels: { "keyvault-injector.dev/managed": "true" },
        annotations: { "keyvault-injector.dev/class": "app", "keyvault-injector.dev/objects": `${object}@v1` },
      },
      data: { value: "YQ==" },
    };
    const context = await contextOf([secret, { ...statusObject, status: { observedGeneration: 1, conditions, secrets } }]);
    const { findings } = await walkClass(context, { ...provider, metadata: { ...provider.metadata, generation: 1 } });
    return findings.filter(({ step }) => step === "secret").map(({ state, message }) => `${state} ${message}`);
  };

  test("is both, and not that it matches", async () => {
    assert.deepEqual(await walked("secret/old"), [
      "OK Secret team-x/app is as the worker last wrote it: value still holds secret/old@v1; the class now names secret/object",
    ]);
  });

  test("is that it matches, where it is the same object", async () => {
    assert.deepEqual(await walked("secret/object"), ["OK Secret team-x/app matches the status"]);
  });
});

describe("NC2: a class whose text the worker rejects", () => {
  const walked = async (spc: typeof provider) => reportedWalk(await walkClass(await contextOf([]), spc));
  const withParameters = (parameters: Readonly<Record<string, string>>): typeof provider => ({
    ...provider,
    spec: { ...provider.spec, parameters: { ...provider.spec?.parameters, ...parameters } },
  });

  for (const objects of ["array: []", "arrays:\n  - |\n    objectName: object\n    objectType: secret\n"]) {
    test(`fails in its first step without objects: ${objects.slice(0, 9)}`, async () => {
      const { findings, state, next } = await walked(withParameters({ objects }));

      assert.deepEqual([findings[0]?.leaf, state], ["class-invalid", "FAIL"]);
      assert.match(findings[0]?.message ?? "", /^spec\.parameters\.objects: no objects: /);
      assert.match(next ?? "", /^In spec\.parameters\.objects: write YAML with the key array, /);
    });
  }

  test("fails in its first step where no object makes what a secretObject names", async () => {
    const spec = { ...provider.spec, secretObjects: [opaque("app", "objct")] };
    const { findings, next } = await walked({ ...provider, spec });

    assert.deepEqual([findings[0]?.leaf, findings[0]?.state], ["secret-object-invalid", "FAIL"]);
    assert.equal(findings[0]?.message, 'spec.secretObjects[0].data[0].objectName: no object of the class produces "objct"');
    assert.equal(next, 'In spec.secretObjects[0].data[0].objectName: write "object", or the file name of another object.');
  });

  test("is none with objects that only a selector names", async () => {
    const selecting = withParameters({ objects: "array: []", objectSelectors: "app:\n  names: shop-*\n" });
    const secretObjects = [{ secretName: "app", type: "Opaque" }];
    const { findings } = await walked({ ...selecting, spec: { ...selecting.spec, secretObjects } });

    assert.deepEqual(
      findings.filter(({ step }) => step === "class").map(({ leaf, message }) => `${leaf}: ${message}`),
      ["class-ok: selected objects of https://demo-vault.vault.azure.net/"],
    );
  });
});
