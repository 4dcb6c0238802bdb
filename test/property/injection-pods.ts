import fc from "fast-check";
import { prefixed } from "../support/fixtures/pods.ts";

type Json = Readonly<Record<string, unknown>>;

/** Field names that no version of Kubernetes has, including names that JavaScript treats in a special way. */
const inventedName = fc.oneof(
  fc.stringMatching(/^x[a-zA-Z0-9_.~/-]{1,12}$/),
  fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "toJSON", "x/y~z", ""),
);

/** The value as JSON transmits it: `-0` becomes `0`. */
const inventedValue: fc.Arbitrary<unknown> = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)));

function withInvented(known: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  return fc.tuple(known, fc.array(fc.tuple(inventedName, inventedValue), { maxLength: 3 })).map(([object, extra]) => {
    const entries = new Map<string, unknown>([...extra, ...Object.entries(object)]);
    return asJson(entries);
  });
}

/** Makes each key an own member: an assignment to `__proto__` would set the prototype. */
function asJson(entries: ReadonlyMap<string, unknown>): Json {
  return Object.fromEntries(entries);
}

const label = fc.constantFrom("app", "log", "data", "cache", "secrets-store-inline", "vault", "secrets-store-inline-b");
const path = fc.constantFrom("/data", "/var/log", "/mnt/secrets-store", "/mnt/secrets-store/", "/mnt/secrets-store/b", "/vault");

const mount = withInvented(fc.record({ name: label, mountPath: path, readOnly: fc.boolean() }, { requiredKeys: ["name", "mountPath"] }));

const envSource = withInvented(
  fc.record(
    { secretRef: withInvented(fc.record({ name: fc.constantFrom("db", "web") })), prefix: fc.constantFrom("", "P_") },
    { requiredKeys: [] },
  ),
);

const container = withInvented(
  fc.record(
    {
      name: fc.constantFrom("app", "log", "setup", "proxy"),
      image: fc.constant("image:1"),
      volumeMounts: fc.option(fc.array(mount, { maxLength: 3 })),
      restartPolicy: fc.constant("Always"),
      env: fc.option(fc.array(withInvented(fc.record({ name: fc.constantFrom("KEY", "OTHER") })), { maxLength: 2 })),
      envFrom: fc.option(fc.array(envSource, { maxLength: 2 })),
    },
    { requiredKeys: ["name"] },
  ),
);

const csiSource = withInvented(
  fc.record(
    {
      driver: fc.constantFrom("secrets-store.csi.k8s.io", "other.csi.example"),
      readOnly: fc.boolean(),
      volumeAttributes: withInvented(fc.record({ secretProviderClass: fc.constantFrom("a", "b") })),
      nodePublishSecretRef: withInvented(fc.record({ name: fc.constantFrom("secrets-store-creds", "mine") })),
    },
    { requiredKeys: ["driver"] },
  ),
);

const volume = fc.oneof(
  withInvented(fc.record({ name: label, csi: csiSource })),
  withInvented(fc.record({ name: label, emptyDir: fc.constant({}) })),
);

/** Mostly valid values, so that the tests reach the code behind the validation. Sometimes any text. */
function mostly(...values: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: fc.string() });
}

const annotations = fc
  .record(
    {
      inject: mostly("true"),
      "secret-provider-class": mostly("a", "b", "a,b", "a.b"),
      "credentials-secret": mostly("none", "mine", "a=mine", "secrets-store-creds"),
      "mount-path": mostly("/vault", "/free", "/data/kv", "a=/x", "a=/y,b=/z"),
      "volume-name": mostly("vault", "fresh", "a=fresh", "b=data"),
      containers: mostly("app", "-app", "app,setup", "-log", "-proxy"),
      "env-from": mostly("db", "web", "db,web", "elsewhere"),
      "restart-on-rotation": mostly("true", "false"),
      status: mostly("{}"),
      typo: fc.string(),
    },
    { requiredKeys: ["inject", "secret-provider-class"] },
  )
  .chain((ours) =>
    fc
      .array(fc.tuple(inventedName, fc.string()), { maxLength: 2 })
      .map((extra) => asJson(new Map([...extra, ...Object.entries(prefixed(ours))]))),
  );

const labels = fc.array(fc.tuple(inventedName, fc.string()), { maxLength: 3 }).map((entries) => asJson(new Map(entries)));

/** Pods that may lack any of their lists and maps, with invented members at every level. */
export const podWithInventedFields: fc.Arbitrary<Json> = withInvented(
  fc.record({
    apiVersion: fc.constant("v1"),
    kind: fc.constant("Pod"),
    metadata: withInvented(
      fc.record(
        { name: fc.constant("web"), generateName: fc.constant("web-"), labels: fc.option(labels), annotations },
        { requiredKeys: ["annotations"] },
      ),
    ),
    spec: withInvented(
      fc.record(
        {
          containers: fc.array(container, { minLength: 1, maxLength: 3 }),
          initContainers: fc.option(fc.array(container, { maxLength: 2 })),
          volumes: fc.option(fc.array(volume, { maxLength: 3 })),
          os: withInvented(fc.record({ name: fc.constantFrom("linux", "windows") })),
        },
        { requiredKeys: ["containers"] },
      ),
    ),
  }),
);

/** The same pod with annotations that always work on it: the invented lists stay, and no name, path, or reference conflicts. */
export const injectablePod: fc.Arbitrary<Json> = podWithInventedFields.map((pod) => {
  const metadata = pod["metadata"] as Json; // The generator above always makes it.
  const places = { "volume-name": "fresh", "mount-path": "/fresh" };
  const wanted = prefixed({ inject: "true", "secret-provider-class": "a,b", "credentials-secret": "fresh", ...places });
  const kept = Object.entries(metadata["annotations"] as Json).filter(([key]) => !key.startsWith("keyvault-injector.dev/"));
  return asJson(
    new Map(
      Object.entries({
        ...pod,
        metadata: asJson(new Map(Object.entries({ ...metadata, annotations: asJson(new Map([...kept, ...Object.entries(wanted)])) }))),
      }),
    ),
  );
});

/** An AdmissionReview of the pod, with invented members at every level of the envelope, too. */
export function reviewOf(pod: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  const resource = withInvented(fc.constant({ group: "", version: "v1", resource: "pods" }));
  return fc.tuple(pod, resource, fc.uuid()).chain(([object, resourceValue, uid]) =>
    withInvented(
      withInvented(fc.constant({ uid, operation: "CREATE", resource: resourceValue, namespace: "default", object })).map((request) => ({
        apiVersion: "admission.k8s.io/v1",
        kind: "AdmissionReview",
        request,
      })),
    ),
  );
}
