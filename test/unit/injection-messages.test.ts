import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DENIALS, PROBLEMS, WARNINGS, warning } from "../../src/domain/injection/messages.ts";
import { aClass, aPod, documentVolume, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { decidePod, defaults, type World, warningsOf, writing } from "../support/webhook/decide-pod.ts";

type Annotations = Readonly<Record<string, string>>;

/** Annotations of the pod (besides the opt-in and the example class), fields of its spec, and the facts that the webhook knows. */
type Case = readonly [annotations: Annotations, spec?: Readonly<Record<string, unknown>>, world?: World];

/** Returns a pattern that matches the template's text with any values. */
function patternOf(template: string): RegExp {
  const literal = template.split(/\{\w+\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${literal.join("[^]+")}$`);
}

function decisionOn([annotations, spec, world]: Case) {
  return decidePod(aPod({ ...OPTED_IN, ...annotations }, spec), world);
}

const two = { "secret-provider-class": "a,b" };
const many = (count: number): string => Array.from({ length: count }, (_, index) => `x${index}`).join(",");
const windows = { os: { name: "windows" } };
const app = (fields: object): Readonly<Record<string, unknown>> => ({ containers: [{ name: "app", ...fields }] });
const keys = (secrets: Readonly<Record<string, readonly string[]>>): World => ({ facts: { "akvprovider-demo": writing(secrets) } });

describe("every problem of a value", () => {
  const cases: Readonly<Record<keyof typeof PROBLEMS, Case>> = {
    flag: [{ inject: "yes" }],
    window: [{ "restart-window": "0 0 30 2 * for 1h" }],
    classList: [{ "secret-provider-class": "a,,b" }],
    className: [{ "secret-provider-class": "A" }],
    classCount: [{ "secret-provider-class": many(17) }],
    listedTwice: [{ containers: "app,app" }],
    forClass: [{ "mount-path": "akvprovider-demo=x" }],
    itemWithoutClass: [{ "volume-name": "akvprovider-demo=a,b" }],
    foreignClass: [{ "volume-name": "other=a" }],
    classTwice: [{ "volume-name": "akvprovider-demo=a,akvprovider-demo=b" }],
    credentials: [{ "credentials-secret": "My Secret" }],
    volumeName: [{ "volume-name": "a.b" }],
    sameVolumeName: [{ ...two, "volume-name": "a=v,b=v" }],
    path: [{ "mount-path": "secrets" }],
    pathLength: [{ "mount-path": `/${"x".repeat(4096)}` }],
    pathCharacters: [{ "mount-path": "/a:b" }],
    pathCharactersWindows: [{ "mount-path": "C:\\a?" }, windows],
    pathUp: [{ "mount-path": "/a/../b" }],
    pathRoot: [{ "mount-path": "/" }],
    pathSystem: [{ "mount-path": "/proc/1" }],
    pathOfWindows: [{ "mount-path": "C:\\secrets" }],
    pathInClass: [{ ...two, "mount-path": "a=/x/y,b=/x" }],
    containerList: [{ containers: "app," }],
    containerName: [{ containers: "a b" }],
    containerBoth: [{ containers: "app,-app" }],
    containerNone: [{ containers: "-app" }],
    secretList: [{ "env-from": "a,,b" }],
    secretName: [{ "env-from": "My Secret" }],
    secretCount: [{ "env-from": many(33) }],
  };
  for (const [name, template] of Object.entries(PROBLEMS)) {
    test(`is told for a pod that has it: ${name}`, () => {
      const decision = decisionOn(cases[name as keyof typeof PROBLEMS]); // The name is one of the object's own keys.

      assert.ok(decision.kind === "denied", JSON.stringify(decision));
      assert.equal(decision.reason, "InvalidAnnotation");
      assert.match(decision.message, patternOf(`annotation keyvault-injector.dev/{key} is {value}: ${template}`));
    });
  }
});

describe("every denial", () => {
  const reference = documentVolume({
    csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "akvprovider-demo" } },
  });
  const inVolume = (mountPath: string, readOnly: boolean) => ({
    volumes: [{ name: "data", emptyDir: {} }],
    ...app({ volumeMounts: [{ name: "data", mountPath, readOnly }] }),
  });
  const strict = { strictAnnotations: true };
  const cases: Readonly<Record<keyof typeof DENIALS, Case>> = {
    invalid: [{ inject: "yes" }],
    unknown: [{ something: "x" }, {}, strict],
    unknownButNear: [{ "mount-paht": "x" }, {}, strict],
    workloadAnnotation: [{ "restart-paused": "true" }, {}, strict],
    classAnnotation: [{ sync: "1" }, {}, strict],
    classRequired: [{ "secret-provider-class": " " }],
    containerNotFound: [{ containers: "ap" }],
    volumeNameTaken: [{}, { volumes: [{ name: "secrets-store-inline", emptyDir: {} }] }],
    referenceDiffers: [{}, { volumes: [reference] }],
    pathTaken: [{}, inVolume("/mnt/secrets-store", false)],
    pathHides: [{}, inVolume("/mnt/secrets-store/cache", false)],
    pathReadOnly: [{}, inVolume("/mnt", true)],
    envSet: [{ "env-from": "s" }, app({ env: [{ name: "KEY", value: "x" }] }), keys({ s: ["KEY"] })],
    envGiven: [{ "env-from": "s" }, app({ envFrom: [{ prefix: "P_", secretRef: { name: "t" } }] }), keys({ s: ["P_KEY"], t: ["KEY"] })],
    envGivenUnnamed: [
      { "env-from": "s" },
      app({ envFrom: [{ prefix: "P_", secretRef: { name: "t" } }] }),
      { ...keys({ s: ["P_KEY"], t: ["KEY"] }), isCallerTrusted: false },
    ],
    envTwiceUnnamed: [{ "env-from": "s,t" }, {}, { ...keys({ s: ["KEY"], t: ["KEY"] }), isCallerTrusted: false }],
    envTwice: [{ "env-from": "s,t" }, {}, keys({ s: ["KEY"], t: ["KEY"] })],
    podTooLarge: [{}, { containers: Array.from({ length: 2_001 }, (_, index) => ({ name: `c${index}`, image: "a" })) }],
    namespaceUnknown: [{}, {}, { namespace: { kind: "unknown" } }],
  };
  for (const [name, [reason, template]] of Object.entries(DENIALS)) {
    test(`is given to a pod that earns it: ${name}`, () => {
      const decision = decisionOn(cases[name as keyof typeof DENIALS]); // The name is one of the object's own keys.

      assert.ok(decision.kind === "denied", JSON.stringify(decision));
      assert.equal(decision.reason, reason);
      assert.match(decision.message, patternOf(template));
      assert.doesNotMatch(decision.message, /[{}]/);
    });
  }
});

describe("every warning", () => {
  const named = { "credentials-secret": "mine" };
  const fiftyOne = Array.from({ length: 51 }, (_, index) => [`something-${index}`, "x"] as const);
  const found = (parameters: Annotations): World => ({ facts: { "akvprovider-demo": { kind: "found", class: aClass(parameters) } } });
  const about = (kind: "missing" | "unknown"): World => ({ facts: { "akvprovider-demo": { kind } } });
  const vault = { ...aClass(), spec: { provider: "vault" } };
  const csi = { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "akvprovider-demo" } };
  const cases: Readonly<Record<keyof typeof WARNINGS, Case>> = {
    unknown: [{ something: "x" }],
    unknownButNear: [{ "mount-paht": "x" }],
    moreUnknown: [Object.fromEntries(fiftyOne)],
    label: [{}],
    workloadAnnotation: [{ "restart-paused": "true" }],
    classAnnotation: [{ sync: "1" }],
    onNamespace: [{}, {}, { namespace: defaults({ something: "x" }) }],
    onNamespaceButNear: [{}, {}, { namespace: defaults({ "mount-paht": "x" }) }],
    moreOnNamespace: [{}, {}, { namespace: defaults(Object.fromEntries(fiftyOne)) }],
    forgottenOptIn: [{}],
    flag: [{ inject: "false", "restart-on-rotation": "yes" }],
    window: [{ inject: "false", "restart-window": "at night" }],
    windowOnNamespace: [{}, {}, { namespace: defaults({ "restart-window": "at night" }) }],
    classMissing: [named, {}, about("missing")],
    classMissingGuess: [{}, {}, about("missing")],
    classUnread: [named, {}, about("unknown")],
    classUnreadGuess: [{}, {}, about("unknown")],
    provider: [{}, {}, { facts: { "akvprovider-demo": { kind: "found", class: vault } } }],
    providerUnnamed: [{}, {}, { facts: { "akvprovider-demo": { kind: "found", class: vault } }, isCallerTrusted: false }],
    identityFlag: [{}, {}, found({ usePodIdentity: "maybe" })],
    referenceUnread: [named, {}, found({ clientID: "c" })],
    writableVolume: [{}, { volumes: [documentVolume({ csi: { ...csi, nodePublishSecretRef: { name: "secrets-store-creds" } } })] }],
    subPath: [
      {},
      { volumes: [documentVolume()], ...app({ volumeMounts: [{ name: "secrets-store-inline", mountPath: "/x", subPathExpr: "$(A)" }] }) },
    ],
    pathInVolume: [{}, { volumes: [{ name: "data", emptyDir: {} }], ...app({ volumeMounts: [{ name: "data", mountPath: "/mnt" }] }) }],
    pathOfTokens: [{ "mount-path": "/run/secrets" }],
    pathOfImage: [{ "mount-path": "/usr" }],
    containerAbsent: [{ containers: "-proxy" }],
    noRoomForStatus: [{ "volume-name": "secrets-store-inline", rotated: "x".repeat(262_144 - 250) }],
    secretOfNoClass: [{ "env-from": "elsewhere" }],
  };
  const labelled = aPod(OPTED_IN);
  /** Pods for warnings that no annotation of an opted-in pod causes. */
  const ownPods: Readonly<Record<string, ReturnType<typeof aPod>>> = {
    forgottenOptIn: aPod({ "secret-provider-class": "x" }),
    label: { ...labelled, metadata: { ...Object(labelled["metadata"]), labels: prefixed({ "mount-path": "/x" }) } },
  };
  for (const [name, template] of Object.entries(WARNINGS)) {
    test(`is given to a pod that earns it: ${name}`, () => {
      const given = cases[name as keyof typeof WARNINGS]; // The name is one of the object's own keys.
      const decision = name in ownPods ? decidePod(ownPods[name]) : decisionOn(given);

      assert.ok(decision.kind === "patched" || decision.kind === "unchanged", JSON.stringify(decision));
      assert.equal(decision.warnings.length, name.startsWith("more") ? 51 : 1, decision.warnings.join("\n"));
      assert.match(decision.warnings.at(-1) ?? "", patternOf(template));
    });
  }

  // The API server silently drops a warning that contains a control character.
  test("holds no character that a terminal obeys or shows as nothing", () => {
    const unseen = "\u0000\u001b\u007f\u0085\u009b\u00a0\u00ad\u200b\u202e\u2028\ufeff\u{e0041}";
    const [text = ""] = warningsOf(aPod({ "restart-on-rotation": `a${unseen}b ✓` }));

    assert.doesNotMatch(text, /[^ -~✓]/u);
    assert.match(text, /is "a\\u0000\\u001b\\u007f\\u0085\\u009b\\u00a0\\u00ad/);
  });

  test("stays within 120 characters with the longest names that there are", () => {
    const longest = "x".repeat(253);
    for (const [name, template] of Object.entries(WARNINGS)) {
      const values = Object.fromEntries([...template.matchAll(/\{(\w+)\}/g)].map(([, key = ""]) => [key, longest]));
      const text = warning(name as keyof typeof WARNINGS, values as never); // The values contain every name of the template.
      assert.ok(text.length <= 120, `${text.length}: ${text}`);
      assert.doesNotMatch(text, /[{}]/);
    }
  });
});
