import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { aClass, aPod, aReview, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { type ListeningWebhook, startWebhook } from "../support/webhook/listening-webhook.ts";

type Json = Readonly<Record<string, unknown>>;

/** Bytes of annotations that the API server accepts, less a kilobyte for others. It also accepts this number of containers. */
const ANNOTATIONS = 255 * 1024;
const CONTAINERS = 10_000;
/** Twice this depth fits into the largest body that the webhook reads. */
const LEVELS = 300_000;

const names = (count: number, prefix: string): readonly string[] => Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const SIXTEEN = names(16, "class-");
const MANY = { inject: "true", "secret-provider-class": SIXTEEN.join(",") };
const containers = names(CONTAINERS, "c").map((name) => ({ name, image: "a" }));
/** As many words as the annotations have room for. */
const words = names(ANNOTATIONS / 8, "w")
  .join(",")
  .slice(0, ANNOTATIONS);
const PER_CLASS = `${"class-0=/a,".repeat(ANNOTATIONS / 11 - 1)}class-1=/b`;
const LISTS = ["secret-provider-class", "containers", "env-from", "mount-path", "volume-name", "credentials-secret"];

interface Extreme {
  readonly pod: Json;
  /** HTTP status, and the reason in the response or in its audit annotation. `Injected` if the response contains a patch. */
  readonly answer: string;
}

const EXTREMES: Readonly<Record<string, Extreme>> = {
  "10,000 containers": { pod: aPod(OPTED_IN, { containers }), answer: "200 PodTooLarge" },
  "10,000 containers and 16 classes": { pod: aPod(MANY, { containers }), answer: "200 PodTooLarge" },
  "2,000 containers": { pod: aPod(OPTED_IN, { containers: containers.slice(0, 2_000) }), answer: "200 Injected" },
  "125 containers and 16 classes": { pod: aPod(MANY, { containers: containers.slice(0, 125) }), answer: "200 Injected" },
  "10,000 containers, all but one left out by name": {
    pod: aPod({ ...OPTED_IN, containers: names(CONTAINERS - 1, "-c").join(",") }, { containers }),
    answer: "200 Injected",
  },
  "10,000 containers, the mounts of 16 classes in a volume of each": {
    pod: aPod(
      { ...MANY, "mount-path": "/w/s" },
      {
        containers: containers.map((each) => ({ ...each, volumeMounts: [{ name: "w", mountPath: "/w" }] })),
        volumes: [{ name: "w", emptyDir: {} }],
      },
    ),
    answer: "200 PodTooLarge",
  },
  "20,000 mounts in a container": {
    pod: aPod(MANY, { containers: [{ name: "a", volumeMounts: names(20_000, "/x/").map((mountPath) => ({ name: "v", mountPath })) }] }),
    answer: "200 Injected",
  },
  "255 KiB of keys that are spelt wrong": {
    pod: aPod({ ...OPTED_IN, ...Object.fromEntries(names(ANNOTATIONS / 37, "mount-paht-").map((name) => [name, ""])) }),
    answer: "200 Injected",
  },
  "255 KiB of class=path": { pod: aPod({ ...MANY, "mount-path": PER_CLASS }), answer: "200 InvalidAnnotation" },
  "a field that nobody knows, nested 600,000 levels deep": {
    pod: aPod(OPTED_IN, { later: "NESTED", containers: [{ name: "a", later: "NESTED", volumeMounts: [] }] }),
    answer: "413 TooLarge",
  },
  "keys that name parts of every object": {
    pod: {
      ...aPod(OPTED_IN),
      metadata: { name: "a", annotations: { ...prefixed(OPTED_IN), constructor: "x", toString: "y" }, labels: { hasOwnProperty: "z" } },
    },
    answer: "200 Injected",
  },
  ...Object.fromEntries(
    LISTS.map((name) => {
      const answer = name === "containers" ? "200 ContainerNotFound" : "200 InvalidAnnotation";
      return [`255 KiB of words in ${name}`, { pod: aPod({ ...OPTED_IN, [name]: words }), answer }];
    }),
  ),
  "255 KiB of a class's name": {
    pod: aPod({ inject: "true", "secret-provider-class": "x".repeat(ANNOTATIONS) }),
    answer: "200 InvalidAnnotation",
  },
  "255 KiB of opt-in": { pod: aPod({ inject: "x".repeat(ANNOTATIONS) }), answer: "200 InvalidAnnotation" },
};

/** Values that Kubernetes never has, for each place that the webhook reads. */
const WRONG: readonly Json[] = [
  { metadata: null },
  { metadata: { annotations: [] } },
  { metadata: { annotations: { a: 1 } } },
  { metadata: { labels: "x" } },
  { spec: [] },
  { spec: { containers: {} } },
  { spec: { containers: [null] } },
  { spec: { initContainers: "x" } },
  { spec: { volumes: 7 } },
  { spec: { volumes: [[]] } },
  ...["volumeMounts", "volumeDevices", "env", "envFrom"].flatMap((list) =>
    [{}, [1], "x", true].map((value) => ({ spec: { containers: [{ name: "a", [list]: value }] } })),
  ),
];

/** `JSON.stringify` is recursive, so that it cannot write this depth. */
const NESTED = `${'{"a":['.repeat(LEVELS)}${"]}".repeat(LEVELS)}`;
const bodyOf = (pod: unknown): string => JSON.stringify(aReview(pod)).replaceAll('"NESTED"', NESTED);

describe("a review as large, as deep or as wrong as it can be", () => {
  let webhook: ListeningWebhook;
  before(async () => {
    const classes = SIXTEEN.map((name) => aClass({}, name));
    webhook = await startWebhook({ known: [aClass(), ...classes] });
  });
  after(() => webhook.stop());

  async function answerTo(pod: unknown): Promise<string> {
    const { status, json } = await webhook.post(bodyOf(pod));
    const { patch, status: failure, auditAnnotations } = json.response ?? {};
    const reason = patch === undefined ? (failure?.reason ?? auditAnnotations?.["skipped"]) : "Injected";
    return `${status} ${reason}`;
  }

  for (const [what, { pod, answer }] of Object.entries(EXTREMES)) {
    test(`with ${what} is answered in bounded time`, async () => {
      const started = process.cpuUsage();
      assert.equal(await answerTo(pod), answer);
      const { user, system } = process.cpuUsage(started);
      // This bound detects work in proportion to the product of two large numbers, which takes minutes. It does not measure speed.
      assert.ok((user + system) / 1e6 < 10, `${(user + system) / 1e6} s`);
    });
  }

  test("with something else where a list, an object or a text belongs is refused, and the next one is answered", async () => {
    for (const wrong of WRONG) {
      const pod = { ...aPod(OPTED_IN), ...wrong };
      const spoilt = "spec" in wrong ? pod : { ...pod, spec: { containers: [{ name: "a" }] } };
      assert.equal(await answerTo(spoilt), "400 InvalidReview", JSON.stringify(wrong));
    }
    assert.equal(await answerTo(aPod(OPTED_IN)), "200 Injected");
  });
});
