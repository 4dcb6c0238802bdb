import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AdmissionRequest } from "../../src/domain/admission/review.ts";
import type { ClassFact } from "../../src/domain/injection/credentials.ts";
import { closeRequest, openRequest } from "../../src/domain/injection/pod-admission.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { classWarnings } from "../../src/domain/preflight/class-warnings.ts";
import { type PreflightReason, type PreflightWarning, shownWarnings } from "../../src/domain/preflight/warning.ts";
import { podRequestOf } from "../../src/domain/preflight/workload.ts";
import { workloadWarnings } from "../../src/domain/preflight/workload-warnings.ts";
import { aClass, documentVolume, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";

type Json = Readonly<Record<string, unknown>>;

const SETTINGS = { version: "9.9.9-test", strictAnnotations: false, isCallerTrusted: true };
const OBJECTS = "array:\n  - |\n    objectName: DemoSecret\n    objectType: secret\n";
const PARAMETERS = { keyvaultName: "demo", tenantId: "tenant", objects: OBJECTS };

function aDeployment(annotations: Readonly<Record<string, string>>, pod: Json = {}): Json {
  const template = { metadata: { annotations: prefixed(annotations) }, spec: { containers: [{ name: "app" }], ...pod } };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: { template } };
}

function requestFor(object: unknown, resource = "deployments"): AdmissionRequest {
  const group = resource.endsWith("jobs") ? "batch" : "apps";
  return {
    uid: "1",
    operation: "CREATE",
    resource: { group, version: "v1", resource },
    subResource: undefined,
    namespace: "default",
    name: "web",
    object,
  };
}

const KNOWN: Readonly<Record<string, ClassFact>> = {
  "akvprovider-demo": { kind: "found", class: aClass() },
  workload: { kind: "found", class: aClass({ clientID: "id" }, "workload") },
  vault: { kind: "found", class: { ...aClass({}, "vault"), spec: { provider: "vault" } } },
  flags: { kind: "found", class: aClass({ usePodIdentity: "yes" }, "flags") },
  unread: { kind: "unknown" },
};

/** As the handler does it, with what is known of the classes above. */
function ofWorkload(object: unknown): readonly PreflightWarning[] {
  const pod = podRequestOf(requestFor(object));
  assert.ok(pod);
  const opened = openRequest(pod, SETTINGS);
  const names = opened.kind === "wanted" ? opened.request.mounts.map(({ className }) => className) : [];
  const classes = new Map(names.map((name): [string, ClassFact] => [name, KNOWN[name] ?? { kind: "missing" }]));
  const decision = opened.kind === "decided" ? opened.decision : closeRequest(opened.request, classes, SETTINGS);
  return workloadWarnings({ pod: pod.object, decision, classes });
}

interface ClassChanges {
  readonly spec?: Json;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

function ofClass({ spec = {}, parameters = {}, annotations = {} }: ClassChanges): readonly PreflightWarning[] {
  const provider: SecretProviderClass = {
    ...aClass(),
    metadata: { name: "demo", namespace: "default", annotations },
    spec: { provider: "azure", parameters: { ...PARAMETERS, ...parameters }, ...spec },
  };
  return classWarnings(provider, { cloudName: "AzurePublicCloud" });
}

const secretObject = (changes: Json): ClassChanges => ({
  spec: { secretObjects: [{ secretName: "s", type: "Opaque", data: [{ objectName: "DemoSecret", key: "k" }], ...changes }] },
});
const inClass = (name: string): Json => aDeployment({ inject: "true", "secret-provider-class": name });
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const history = OBJECTS.replace("secret\n", "secret\n    objectVersionHistory: 3\n");

/** For each warning something that provokes it, and the same with the one thing put right. */
const PROVOKED: Readonly<
  Record<
    PreflightReason,
    { readonly wrong: () => readonly PreflightWarning[]; readonly right: () => readonly PreflightWarning[]; readonly says: RegExp }
  >
> = {
  PodDenied: {
    wrong: () => ofWorkload(aDeployment({ ...OPTED_IN, containers: "nobody" })),
    right: () => ofWorkload(aDeployment({ ...OPTED_IN, containers: "app" })),
    says: /names container "nobody", but the pod has app/,
  },
  PodWarning: {
    wrong: () => ofWorkload(aDeployment({ "secret-provider-class": "akvprovider-demo" })),
    right: () => ofWorkload(aDeployment(OPTED_IN)),
    says: /^nothing is injected/,
  },
  ClassMissing: {
    wrong: () => ofWorkload(inClass("nowhere")),
    right: () => ofWorkload(inClass("akvprovider-demo")),
    says: /"nowhere" does not exist: pods wait for it/,
  },
  ClassUnreadable: {
    wrong: () => ofWorkload(inClass("unread")),
    right: () => ofWorkload(inClass("akvprovider-demo")),
    says: /could not be read/,
  },
  WrongProvider: {
    wrong: () => ofWorkload(inClass("vault")),
    right: () => ofWorkload(inClass("akvprovider-demo")),
    says: /provider "vault", not "azure"/,
  },
  CredentialsUnused: {
    wrong: () => ofWorkload(aDeployment({ inject: "true", "secret-provider-class": "workload", "credentials-secret": "mine" })),
    right: () => ofWorkload(aDeployment({ ...OPTED_IN, "credentials-secret": "mine" })),
    says: /nodePublishSecretRef "mine" is ignored/,
  },
  UnknownAnnotation: {
    wrong: () => ofWorkload(aDeployment({ ...OPTED_IN, "mount-pth": "/x" })),
    right: () => ofWorkload(aDeployment({ ...OPTED_IN, "mount-path": "/x" })),
    says: /did you mean "mount-path"/,
  },
  InvalidAnnotation: {
    wrong: () => ofClass({ annotations: prefixed({ "rotation-poll-interval": "1s" }) }),
    right: () => ofClass({ annotations: prefixed({ "rotation-poll-interval": "10s" }) }),
    says: /below 10s/,
  },
  UnknownParameter: {
    wrong: () => ofClass({ parameters: { keyVaultNam: "x" } }),
    right: () => ofClass({ parameters: { keyvaultName: "other" } }),
    says: /did you mean keyvaultName/,
  },
  NullParameter: {
    wrong: () => ofClass({ annotations: { [LAST_APPLIED]: '{"spec":{"parameters":{"cloudName":null}}}' } }),
    right: () => ofClass({ annotations: { [LAST_APPLIED]: '{"spec":{"parameters":{"cloudName":""}}}' } }),
    says: /"cloudName" is null/,
  },
  InvalidClass: {
    wrong: () => ofClass({ parameters: { keyvaultName: "" } }),
    right: () => ofClass({}),
    says: /^spec\.parameters\.keyvaultName: set it .* \(keyvaultName is not provided\)$/,
  },
  InvalidObject: {
    wrong: () => ofClass({ parameters: { objects: "- a" } }),
    right: () => ofClass({}),
    says: /^spec\.parameters\.objects: .* \(failed to yaml unmarshal objects, error: /,
  },
  IdentityUnavailable: {
    wrong: () => ofClass({ parameters: { usePodIdentity: "true" }, ...secretObject({}) }),
    right: () => ofClass({ parameters: { usePodIdentity: "true" } }),
    says: /pod identity/i,
  },
  InvalidSecretObject: {
    wrong: () => ofClass(secretObject({ secretName: "A_B" })),
    right: () => ofClass(secretObject({})),
    says: /^secretObjects\[0\]\.secretName: /,
  },
  ObjectNotInClass: {
    wrong: () => ofClass(secretObject({ data: [{ objectName: "DemoSecrt", key: "k" }] })),
    right: () => ofClass(secretObject({})),
    says: /no object produces "DemoSecrt": did you mean "DemoSecret"\?/,
  },
  UnexpectedResult: {
    wrong: () => ofClass({ parameters: { objects: history } }),
    right: () => ofClass({}),
    says: /objectVersionHistory 3 gives up to 4 versions/,
  },
};

describe("R8: a fault that stands in the text of a class", () => {
  const key = (name: string, type = "Opaque") => ofClass(secretObject({ type, data: [{ objectName: "DemoSecret", key: name }] }));
  for (const [what, found, says] of [
    ["a key that no Secret has", () => key("bad key"), /data\[0\]\.key: "bad key" is not a valid Secret key/],
    ["a key that no TLS Secret has", () => key("cert.pem", "kubernetes.io/tls"), /key "cert\.pem" is not supported/],
    [
      "a word that is no sync mode",
      () => ofClass({ annotations: prefixed({ sync: "sometimes" }) }),
      /"sometimes" is unknown; write always/,
    ],
    ["a time without a unit", () => ofClass({ annotations: prefixed({ "max-stale": "5" }) }), /max-stale: "5" is not a duration/],
  ] as const) {
    test(`is told: ${what}`, () => {
      const messages = found().map(({ message }) => message);

      assert.ok(
        messages.some((message) => says.test(message)),
        messages.join("; "),
      );
    });
  }

  test("is not seen where there is none", () => {
    const right = [
      key("tls.crt", "kubernetes.io/tls"),
      key("a.b_c-d"),
      ofClass({ annotations: prefixed({ sync: "never", "max-stale": "5m" }) }),
    ];

    assert.deepEqual(right.flat(), []);
  });
});

describe("a preflight check", () => {
  for (const [reason, { wrong, right, says }] of Object.entries(PROVOKED)) {
    test(`warns of ${reason}, and not where there is nothing of it`, () => {
      const found = wrong().filter((each) => each.reason === reason);
      assert.ok(
        found.some(({ message }) => says.test(message)),
        JSON.stringify(wrong()),
      );
      assert.deepEqual(
        right().filter((each) => each.reason === reason),
        [],
      );
    });
  }

  test("finds the template of every kind of workload, and none in what has none", () => {
    const { template } = aDeployment(OPTED_IN)["spec"] as { template: Json }; // Made above.
    for (const resource of ["deployments", "statefulsets", "daemonsets", "replicasets", "jobs"]) {
      assert.ok(podRequestOf(requestFor({ spec: { template } }, resource)), resource);
    }
    assert.ok(podRequestOf(requestFor({ spec: { jobTemplate: { spec: { template } } } }, "cronjobs")));
    for (const object of [undefined, null, "x", { spec: null }, { spec: { template: [] } }]) {
      assert.equal(podRequestOf(requestFor(object)), undefined);
    }
    assert.equal(
      podRequestOf({ ...requestFor({ spec: { template } }), resource: { group: "", version: "v1", resource: "nodes" } }),
      undefined,
    );
  });

  test("names the template's own reference too, where its class does not read it", () => {
    const volume = {
      ...documentVolume(),
      csi: { ...(documentVolume()["csi"] as object), volumeAttributes: { secretProviderClass: "workload" } },
    };
    const warnings = ofWorkload(aDeployment({ inject: "true", "secret-provider-class": "workload" }, { volumes: [volume] }));
    assert.deepEqual(
      warnings.map(({ reason }) => reason),
      ["CredentialsUnused"],
    );
  });

  test("leaves another provider's class alone, unless it is spelt like ours or carries an annotation of ours", () => {
    assert.deepEqual(ofClass({ spec: { provider: "vault" } }), []);
    assert.equal(ofClass({ spec: { provider: "AZURE" } })[0]?.reason, "WrongProvider");
    assert.equal(ofClass({ spec: { provider: "vault" }, annotations: prefixed({ sync: "never" }) })[0]?.reason, "WrongProvider");
  });

  test("SW11: knows what no vault takes as a name, and takes everything that one does", () => {
    const reasons = (name: string) =>
      ofClass({ parameters: { objects: OBJECTS.replace("DemoSecret", `'${name}'\n    objectAlias: a`) } }).map(({ message }) => message);
    for (const name of ["DB_PASSWORD", "my.secret", "a b", "ünï", "x".repeat(128)]) {
      assert.match(
        reasons(name).join("\n"),
        /^objects\[0\]\.objectName "[^"]+"?.*: names in a vault have 1 to 127 letters, digits, and dashes: /,
      );
    }
    for (const name of ["DB-PASSWORD", "0", "-a-", "x".repeat(127)]) assert.deepEqual(reasons(name), []);
  });

  test("SW10: proposes of a history a file that it makes", () => {
    const named = { ...secretObject({ data: [{ objectName: "DemoSecret", key: "k" }] }), parameters: { objects: history } };
    const [reported] = ofClass(named).filter(({ reason }) => reason === "ObjectNotInClass");

    assert.match(reported?.message ?? "", /no object produces "DemoSecret": did you mean "DemoSecret\/0"\?/);
  });

  test("knows the file names of a history and the parts of a certificate", () => {
    const name = (objectName: string) =>
      ofClass({ ...secretObject({ data: [{ objectName, key: "k" }] }), parameters: { objects: history } });
    const reasons = (objectName: string) => name(objectName).filter(({ reason }) => reason === "ObjectNotInClass").length;
    assert.deepEqual(["DemoSecret/0", "DemoSecret/0.key", "DemoSecret", "DemoSecret/x"].map(reasons), [0, 0, 1, 1]);
  });

  test("suggests the nearest of the first few unknown names, and tells of all of them", () => {
    const names = (prefix: string) => Array.from({ length: 30 }, (_, index) => `${prefix}${String(index).padStart(2, "0")}`);
    const data = names("DemoSecre").map((objectName) => ({ objectName, key: objectName }));
    const found = [
      ofClass(secretObject({ data })),
      ofClass({ parameters: Object.fromEntries(names("keyvaultNam").map((name) => [name, "x"])) }),
      ofClass({ annotations: prefixed(Object.fromEntries(names("refres").map((name) => [name, "x"]))) }),
    ];
    assert.deepEqual(
      found.map((warnings) => [warnings.length, warnings.filter(({ message }) => message.includes("did you mean")).length]),
      [
        [30, 5],
        [30, 20],
        [30, 20],
      ],
    );
    assert.ok(found.every((warnings) => /: correct( or remove)? it$/.test(warnings.at(-1)?.message ?? "")));
  });

  test("answers in bounded time whatever a class holds", () => {
    const many = (length: number) => Array.from({ length }, (_, index) => `n${index}`);
    const objects = `array:\n${many(1_500)
      .map((name) => `- |\n  objectName: ${name}\n  objectType: secret\n  objectVersionHistory: 9\n`)
      .join("")}`;
    const started = process.cpuUsage();
    for (const changes of [
      { spec: { secretObjects: many(50_000).map((secretName) => ({ secretName })) } },
      { parameters: { objects }, ...secretObject({ data: many(20_000).map((key) => ({ objectName: `n1499/${key}`, key })) }) },
      { parameters: { objects }, ...secretObject({ data: many(20_000).map((key) => ({ objectName: "n1499/0", key })) }) },
      { parameters: Object.fromEntries(many(30_000).map((name) => [`parameter-with-a-name-of-some-length-${name}`, ""])) },
      { annotations: prefixed(Object.fromEntries(many(8_000).map((name) => [name, ""]))) },
    ]) {
      const warnings = ofClass(changes);
      assert.ok(warnings.length > 0 && shownWarnings(warnings).length <= 12);
      assert.ok(warnings.every(({ reason }) => reason !== "InvalidObject"));
    }
    const { user, system } = process.cpuUsage(started);
    // A guard against quadratic work, which took minutes: not a measure of speed.
    assert.ok((user + system) / 1e6 < 20, `${(user + system) / 1e6} s`);
  });

  test("survives whatever stands in kubectl's annotation", () => {
    for (const text of ["", "{", "null", "[]", '{"spec":null}', '{"spec":{"parameters":[null]}}', '"x"']) {
      const reasons = ofClass({ annotations: { [LAST_APPLIED]: text } }).map(({ reason }) => reason);
      assert.ok(
        reasons.every((reason) => reason === "NullParameter"),
        text,
      );
    }
  });
});
