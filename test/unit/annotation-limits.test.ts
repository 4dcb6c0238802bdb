import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mistakesOn } from "../../src/cli/doctor/checks/namespace-keys.ts";
import { annotationsSizeProblem } from "../../src/domain/annotations-size.ts";
import { readPod } from "../../src/domain/injection/pod.ts";
import { unknownAnnotations } from "../../src/domain/injection/unknown-annotations.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { classWarnings } from "../../src/domain/preflight/class-warnings.ts";
import { misplacedAnnotations } from "../../src/domain/preflight/misplaced-annotations.ts";
import { aClass, aPod, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { defaults, warningsOf } from "../support/webhook/decide-pod.ts";

const MOST = 262_144;
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const OBJECTS = "array:\n  - |\n    objectName: DemoSecret\n    objectType: secret\n";
const PARAMETERS = { keyvaultName: "demo", tenantId: "tenant", objects: OBJECTS };

const named = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `name-${index}`);

function classWith(annotations: Readonly<Record<string, string>>, parameters: Readonly<Record<string, string>> = {}): SecretProviderClass {
  const made = aClass({ ...PARAMETERS, ...parameters });
  return { ...made, metadata: { ...made.metadata, annotations } };
}

const reported = (provider: SecretProviderClass): readonly string[] =>
  classWarnings(provider, { cloudName: "" }).map(({ message }) => message);

describe("an object with more annotations than the API server stores", () => {
  test("B-2: is not read as JSON for what kubectl notes in them", () => {
    const hostile = `{"spec":{"parameters":{"cloudName":null}},"more":[${"{},".repeat(MOST / 3)}{}]}`;

    assert.deepEqual(reported(classWith({ [LAST_APPLIED]: hostile })), [
      `metadata.annotations must have at most ${MOST} bytes in total, which is the most that the API server stores`,
    ]);
    const control = reported(classWith({ [LAST_APPLIED]: '{"spec":{"parameters":{"cloudName":null}}}' }));
    assert.ok(
      control.some((message) => message.startsWith('parameter "cloudName" is null')),
      control.join("; "),
    );
  });

  test("B-4: is refused before a list of them is taken apart, whether one is large or many are small", () => {
    const large = aPod({ ...OPTED_IN, containers: "a,".repeat(MOST / 2) });
    const many = aPod({ ...OPTED_IN, ...Object.fromEntries(named(10_000).map((name) => [name, "x"])) });
    const most = aPod({ ...OPTED_IN, note: "x".repeat(MOST - 1_000) });

    for (const pod of [large, many])
      assert.deepEqual(readPod(pod), {
        ok: false,
        error: `metadata.annotations must have at most ${MOST} bytes in total, which is the most that the API server stores`,
      });
    assert.ok(readPod(most).ok, "the control: as many as there may be");
  });

  for (const [letter, bytes] of [
    ["é", 2],
    ["€", 3],
    ["😀", 4],
    ["\ud800", 3],
  ] as const) {
    test(`CW-14: is refused for the bytes that the API server counts, of keys and values: ${JSON.stringify(letter)}`, () => {
      const filled = (room: number): Readonly<Record<string, string>> => {
        const letters = Math.floor((room - "note".length) / bytes);
        return { note: letter.repeat(letters) + "x".repeat(room - "note".length - letters * bytes) };
      };
      const problem = `must have at most ${MOST} bytes in total, which is the most that the API server stores`;

      assert.equal(annotationsSizeProblem(filled(MOST)), undefined, "the control: as many as there may be");
      assert.equal(annotationsSizeProblem(filled(MOST + 1)), problem);
      assert.equal(annotationsSizeProblem({ [letter.repeat(Math.ceil(MOST / bytes))]: "x" }), problem);
    });
  }

  test("CW-14: is measured without a copy of the texts, unless they may be too many", (t) => {
    const encode = t.mock.method(TextEncoder.prototype, "encode");
    annotationsSizeProblem({ note: "x".repeat(MOST / 4) });
    annotationsSizeProblem({ note: "x".repeat(MOST + 1) });

    assert.equal(encode.mock.callCount(), 0);

    annotationsSizeProblem({ note: "x".repeat(MOST / 2) });
    assert.notEqual(encode.mock.callCount(), 0, "the control: these may be too many");
  });
});

describe("an object with thousands of unknown names", () => {
  test("B-3: is told of fifty of its parameters, and how many more there are", () => {
    const messages = reported(classWith({}, Object.fromEntries(named(113_000).map((name) => [name, ""]))));
    const ofNames = messages.filter((message) => message.includes("unknown and ignored"));

    assert.equal(ofNames.length, 51);
    assert.equal(ofNames.at(-1), "112950 more parameters are unknown and ignored");
  });

  test("B-3: is told of fifty of its annotations, on a class and on a pod", () => {
    const annotations = prefixed(Object.fromEntries(named(5_000).map((name) => [name, ""])));

    assert.equal(reported(classWith(annotations)).filter((message) => message.includes("annotation of a class")).length, 50);
    assert.equal(unknownAnnotations(annotations).reported.length, 50);
    assert.equal(unknownAnnotations(prefixed({ "mount-pth": "" })).reported.length, 1);
  });

  describe("UA: is told how many more of its annotations are unknown", () => {
    const unknown = (count: number) => Object.fromEntries(named(count).map((name) => [name, ""]));
    const mentioned = (texts: readonly string[]): readonly string[] => texts.filter((text) => /name-|more/.test(text));
    const template = { spec: { template: { metadata: {}, spec: {} } } };
    const workload = (annotations: object) => ({ kind: "Deployment", metadata: { annotations }, ...template });
    const places: Readonly<Record<string, (annotations: Readonly<Record<string, string>>) => readonly string[]>> = {
      "a pod": (annotations) => warningsOf(aPod({ ...OPTED_IN, ...annotations })),
      "its Namespace": (annotations) => warningsOf(aPod(OPTED_IN), { namespace: defaults(annotations) }),
      "a Deployment": (annotations) =>
        misplacedAnnotations(workload(prefixed(annotations)), ["spec", "template"]).map(({ message }) => message),
      "a Namespace, by doctor": (annotations) =>
        mistakesOn({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", annotations: prefixed(annotations) } }).map(
          ({ message }) => message,
        ),
    };

    for (const [what, told] of Object.entries(places))
      test(what, () => {
        const texts = mentioned(told(unknown(53)));
        assert.equal(texts.length, 51);
        assert.match(texts.at(-1) ?? "", /\b3 more\b/);
        assert.doesNotMatch(told(unknown(50)).join("; "), /\bmore\b/, "the control: all are named");
      });
  });

  test("CW-9: is told how many more of its annotations are unknown, and how many more of its versions are placeholders", () => {
    const annotations = prefixed(Object.fromEntries(named(51).map((name) => [name, ""])));
    const entries = named(23).map((name) => `  - |\n    objectName: ${name}\n    objectType: secret\n    objectVersion: <version>\n`);
    const parsed = { cloudName: "AzurePublicCloud", tenantID: "00000000-0000-0000-0000-000000000001" };
    const objects = `array:\n${entries.join("")}`;

    assert.ok(reported(classWith(annotations, parsed)).includes("1 more annotations have no effect on a class"));
    assert.ok(reported(classWith({}, { ...parsed, objects })).includes("3 more objectVersions are placeholders"));
    const few = [
      ...reported(classWith(prefixed({ "name-0": "" }), parsed)),
      ...reported(classWith({}, { ...parsed, objects: `array:\n${entries[0]}` })),
    ];
    assert.deepEqual(
      few.filter((message) => message.includes("more")),
      [],
      "the control: all are named",
    );
    assert.equal(few.length, 2, few.join("; "));
  });
});
