import fc from "fast-check";
import type { SecretObject } from "../../src/domain/kubernetes.ts";
import { at } from "../support/cluster/shipped-manifests.ts";
import { aClass, prefixed } from "../support/fixtures/pods.ts";

type Json = Readonly<Record<string, unknown>>;

/** A pod as its author writes it, its namespace, and our annotations. */
export interface RandomPod {
  readonly namespace: string;
  readonly pod: Json;
  readonly annotations: Readonly<Record<string, string>>;
}

const writes = (secretName: string, ...keys: readonly string[]): SecretObject => ({
  secretName,
  type: "Opaque",
  data: keys.map((key) => ({ objectName: key, key })),
});

/** The classes of every namespace. Pods also name the class `later`, which does not exist. */
export const CLASSES = [
  { ...aClass({}, "principal"), secrets: [writes("db", "USER", "PASSWORD"), writes("web", "TOKEN")] },
  { ...aClass({ clientID: "c" }, "workload"), secrets: [writes("api", "TOKEN")] },
].map(({ secrets, ...provider }) => ({ ...provider, spec: { ...provider.spec, secretObjects: secrets } }));

/** The namespaces, with their defaults. */
export const NAMESPACES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: {},
  placed: prefixed({ "mount-path": "/team", containers: "-log,-nobody", "volume-name": "later=late" }),
  named: prefixed({ "secret-provider-class": "principal", "credentials-secret": "team", "env-from": "db" }),
  wrong: prefixed({ "mount-path": "team" }),
  typo: prefixed({ "mount-paht": "/team", "restart-on-rotation": "true", inject: "true" }),
};

const MOUNTABLE: Readonly<Record<string, Json>> = {
  data: { emptyDir: {} },
  config: { configMap: { name: "config" } },
  token: { projected: { sources: [{ serviceAccountToken: { path: "token" } }] } },
  claim: { persistentVolumeClaim: { claimName: "claim", readOnly: true } },
  host: { hostPath: { path: "/var/log" } },
  foreign: { csi: { driver: "other.csi.example" } },
  "secrets-store-inline": { emptyDir: {} },
  own: ours("principal", "secrets-store-creds"),
  bare: ours("workload"),
  writable: { csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "principal" } } },
};

function ours(secretProviderClass: string, name?: string): Json {
  const reference = name === undefined ? {} : { nodePublishSecretRef: { name } };
  return { csi: { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass }, ...reference } };
}

const PATHS = ["/data", "/mnt", "/mnt/secrets-store", "/mnt/secrets-store/deep", "mnt/secrets-store/", "/var/log", "/vault", "C:\\vault"];

function mountsOf(volumes: readonly string[]): fc.Arbitrary<readonly Json[]> {
  if (volumes.length === 0) return fc.constant([]);
  const mount = fc.record(
    { name: fc.constantFrom(...volumes), mountPath: fc.constantFrom(...PATHS), readOnly: fc.boolean(), subPath: fc.constantFrom("a", "b") },
    { requiredKeys: ["name", "mountPath"] },
  );
  return fc.uniqueArray(mount, { maxLength: 2, selector: ({ mountPath }) => mountPath });
}

const source = fc.oneof(
  fc.record({ configMapRef: fc.constant({ name: "config" }) }),
  fc.record(
    { secretRef: fc.record({ name: fc.constantFrom("db", "api") }), prefix: fc.constantFrom("", "P_") },
    { requiredKeys: ["secretRef"] },
  ),
);

function containerOf(name: string, volumes: readonly string[]): fc.Arbitrary<Json> {
  return fc.record(
    {
      name: fc.constant(name),
      image: fc.constant("image:1"),
      volumeMounts: mountsOf(volumes),
      env: fc.uniqueArray(fc.record({ name: fc.constantFrom("HOME_PAGE", "TOKEN", "password"), value: fc.constant("x") }), {
        maxLength: 1,
      }),
      envFrom: fc.array(source, { maxLength: 1 }),
      terminationMessagePath: fc.constantFrom("/dev/termination-log", "/vault/log"),
    },
    { requiredKeys: ["name", "image"] },
  );
}

const spec: fc.Arbitrary<Json> = fc
  .record({ volumes: fc.subarray(Object.keys(MOUNTABLE), { maxLength: 3 }), names: fc.subarray(["app", "log", "proxy"], { minLength: 1 }) })
  .chain(({ volumes, names }) =>
    fc.record(
      {
        volumes: fc.constant(volumes.map((name) => ({ name, ...MOUNTABLE[name] }))),
        containers: fc.tuple(...names.map((name) => containerOf(name, volumes))),
        initContainers: fc.oneof(
          fc.constant([]),
          fc.tuple(containerOf("setup", volumes)),
          fc.tuple(containerOf("setup", volumes), fc.constant({ name: "sidecar", image: "image:1", restartPolicy: "Always" })),
        ),
        os: fc.constantFrom({ name: "linux" }, { name: "windows" }),
        nodeSelector: fc.constantFrom({ "kubernetes.io/os": "windows" }, { disk: "ssd" }),
        automountServiceAccountToken: fc.boolean(),
        hostNetwork: fc.constant(false),
      },
      { requiredKeys: ["volumes", "containers"] },
    ),
  );

/** Generates mostly valid values, so that the pods pass the parsing of values, and sometimes a mistake or arbitrary text. */
function mostly(good: readonly string[], bad: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 60, arbitrary: fc.constantFrom(...good) },
    { weight: 2, arbitrary: fc.constantFrom(...bad) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  );
}

const annotations = fc
  .record(
    {
      inject: mostly(["true", "true", "true", "true", "true", "true", "true", "true", "false"], ["yes", ""]),
      "secret-provider-class": mostly(
        ["principal", "workload", "later", "principal,workload", "later, principal"],
        ["Principal", "a,,b", ""],
      ),
      "credentials-secret": mostly(["none", "mine", "secrets-store-creds", "principal=sp"], ["Mine"]),
      "mount-path": mostly(["/vault", "/free", "/free/", "/mnt/kv", "/data/kv", "principal=/x"], ["free", "/etc", "/a/../b", "C:\\vault"]),
      "volume-name": mostly(["vault", "fresh", "data", "workload=w"], ["a.b", "principal=v,workload=v"]),
      containers: mostly(["app", "-app", "app,log", "-log", "-proxy", "-setup"], ["ap", "app,-app", "app,"]),
      "env-from": mostly(["db", "web", "db,web", "api", "elsewhere"], ["Db", "db,db", "web,api"]),
      "restart-on-rotation": mostly(["true", "false"], ["maybe"]),
      rotated: fc.constant("0123456789abcdef"),
      status: fc.constant("{}"),
      "mount-paht": fc.constant("/x"),
      refresh: fc.constant("1"),
    },
    { requiredKeys: [] },
  )
  .chain((all) =>
    // Each pod keeps at most three of these keys, so that most pods request few things. The opt-in and the class stay.
    fc.subarray(Object.keys(all).filter((key) => key !== "inject" && key !== "secret-provider-class")).map((kept) => {
      const class_ = { "secret-provider-class": "principal" };
      const chosen = Object.entries({ inject: "true", ...class_, ...all }).filter(
        ([key, value]) => value !== undefined && (key in { inject: 1, ...class_ } || kept.slice(0, 3).includes(key)),
      );
      return prefixed(Object.fromEntries(chosen));
    }),
  );

const metadata = fc.record(
  {
    labels: fc.constantFrom({ app: "web" }, { "keyvault-injector.dev/injected": "no" }),
    annotations: fc.constantFrom({ "example.com/note": "ü\n\u2028" }, {}),
  },
  { requiredKeys: [] },
);

/** Generates pods of all shapes that matter for injection. The API server accepts nearly all of them. */
export const randomPod: fc.Arbitrary<RandomPod> = fc
  .record({
    namespace: fc.constantFrom("plain", ...Object.keys(NAMESPACES)),
    metadata,
    spec,
    annotations,
    isNamed: fc.boolean(),
    id: fc.uuid(),
  })
  .map(({ namespace, metadata: own, spec: content, annotations: asked, isNamed, id }) => ({
    namespace,
    annotations: asked,
    pod: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...own, ...(isNamed ? { name: `pod-${id}` } : { generateName: "pod-" }) },
      spec: content,
    },
  }));

export function withAnnotations(pod: Json, annotations: Readonly<Record<string, string>>): Json {
  const metadata = Object(at(pod, "metadata"));
  return { ...pod, metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } } };
}

/** Returns the pod without the parts that the API server generates for each pod. */
export function comparable(pod: unknown): Json {
  const { labels, annotations } = Object(at(pod, "metadata"));
  const text = JSON.stringify({ labels, annotations, spec: at(pod, "spec") });
  return JSON.parse(text.replaceAll(/kube-api-access-[a-z0-9]{5}(?=")/g, "kube-api-access")) as Json; // The same JSON as before.
}
