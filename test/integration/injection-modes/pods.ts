import fc from "fast-check";
import { MOST_ANNOTATION_BYTES } from "../../../src/domain/annotations-size.ts";
import { prefixed } from "../../support/fixtures/pods.ts";
import { NAMESPACES, type RandomPod, randomPod } from "../random-pods.ts";

type Json = Readonly<Record<string, unknown>>;

/** More namespaces with defaults, in addition to {@link NAMESPACES}. */
export const MORE_NAMESPACES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ...NAMESPACES,
  kept: prefixed({ "credentials-secret": "none", "mount-path": "principal=/one,workload=/two", containers: "app,-log" }),
  windowed: prefixed({ "restart-window": "never", "restart-on-rotation": "perhaps" }),
};

const LONG = "a-class-with-a-name-that-is-longer-than-what-a-label-may-have-which-is-63-characters";

const CLASS_LISTS = [
  "principal",
  "workload",
  "principal,workload",
  "a.b,a-b",
  `${LONG},principal`,
  `${LONG},${LONG}.x, principal ,workload`,
  Array.from({ length: 16 }, (_, index) => `c${index}`).join(","),
  Array.from({ length: 17 }, (_, index) => `c${index}`).join(","),
  "principal,principal",
  " ",
];

const PATHS = [
  ..."/run /run/kv /var/run /var/run/kv /var/run/secrets /run/secrets/kubernetes.io/x /etc /etc/hosts /etc/hosts/x /etc/hostsx".split(" "),
  ..."/proc /proc/1 /sys/x /dev /dev/shm /dev/shm/x /dev/null /dev/termination-log / // /./ /a//b/./c/ /a/../b a C:\\kv".split(" "),
  ..."C:/kv c:\\mnt\\kv \\kv /C/kv \\\\host\\kv C:\\Windows\\kv C:\\a<b C:\\a\\..\\b C: /a:b /ä/ö principal=/x,workload=/x/y".split(" "),
  ..."principal=/p principal=p principal=/p,principal=/q other=/p principal /p=/q,x".split(" "),
  `/${"long/".repeat(900)}`,
  "/with space/and,comma",
  "/tab\there",
];

const MOUNTED = ["/data", "/run", "/var/run/kv/inner", "/run/kv", "C:\\kv", "c:/kv/x", "/MNT/secrets-store", "/x/", "/x//y", "/"];

const SELECTORS: readonly Json[] = [
  { "kubernetes.io/os": "windows" },
  { "beta.kubernetes.io/os": "windows" },
  { "kubernetes.azure.com/os-sku": "Windows2022" },
  { "kubernetes.azure.com/os-sku": "Ubuntu" },
  { "node.kubernetes.io/windows-build": "10.0.20348" },
  { "beta.kubernetes.io/os": "other", "kubernetes.io/os": "windows" },
  { disk: "ssd" },
];

const expression = fc.record({
  key: fc.constantFrom("kubernetes.io/os", "kubernetes.azure.com/os-sku", "node.kubernetes.io/windows-build", "disk"),
  operator: fc.constantFrom("In", "NotIn", "Exists"),
  values: fc.subarray(["windows", "linux", "Windows2022"], { minLength: 1 }),
});

const affinity = fc
  .array(fc.record({ matchExpressions: fc.array(expression, { minLength: 1, maxLength: 2 }) }), { minLength: 1, maxLength: 2 })
  .map((nodeSelectorTerms) => ({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: nodeSelectorTerms.map(({ matchExpressions }) => ({
          matchExpressions: matchExpressions.map(({ values, ...rest }) => (rest.operator === "Exists" ? rest : { ...rest, values })),
        })),
      },
    },
  }));

const container = (name: string): fc.Arbitrary<Json> =>
  fc.record(
    {
      name: fc.constant(name),
      image: fc.constant("image:1"),
      volumeMounts: fc.uniqueArray(fc.record({ name: fc.constantFrom("data", "read"), mountPath: fc.constantFrom(...MOUNTED) }), {
        maxLength: 3,
        selector: ({ mountPath }) => mountPath,
      }),
      workingDir: fc.constantFrom("/work", "C:\\work"),
      securityContext: fc.constantFrom<Json>({ windowsOptions: { runAsUserName: "me" } }, { readOnlyRootFilesystem: true }),
    },
    { requiredKeys: ["name", "image"] },
  );

const spec = fc.record(
  {
    volumes: fc.constant([
      { name: "data", emptyDir: {} },
      { name: "read", configMap: { name: "config" } },
    ]),
    containers: fc.tuple(container("app"), container("log")),
    nodeSelector: fc.constantFrom(...SELECTORS),
    affinity,
    os: fc.constantFrom({ name: "linux" }, { name: "windows" }),
    automountServiceAccountToken: fc.boolean(),
  },
  { requiredKeys: ["volumes", "containers"] },
);

const asked = fc
  .record(
    {
      "secret-provider-class": fc.constantFrom(...CLASS_LISTS),
      "mount-path": fc.constantFrom(...PATHS),
      "volume-name": fc.constantFrom("kv", "principal=a,workload=b", "principal=a,workload=a", "data", "Kv", "a=b", `x${"y".repeat(62)}`),
      "credentials-secret": fc.constantFrom("none", "mine", "principal=none,workload=theirs", "workload=none", "=x", ""),
      containers: fc.constantFrom("-", "", "app", "-app,-log", "log,-app", "-istio-proxy", "app,app", "none-such"),
      "env-from": fc.constantFrom("x", "x,y", "", "x,x", Array.from({ length: 33 }, (_, index) => `s${index}`).join(",")),
      "restart-window": fc.constantFrom(
        "always",
        " always ",
        "0 22 * * MON-FRI for 4h in Europe/Berlin",
        "at night",
        "0 22 * * 1 for 4h; x",
      ),
      "restart-on-rotation": fc.constantFrom("true", "false", ""),
    },
    { requiredKeys: [] },
  )
  .chain((all) =>
    fc
      .subarray(Object.entries(all))
      .map((kept) => prefixed({ inject: "true", "secret-provider-class": "principal", ...Object.fromEntries(kept.slice(0, 4)) })),
  )
  .chain((own) =>
    fc.oneof({ weight: 30, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: filler(own) }).map((more) => ({ ...own, ...more })),
  );

/** Fills the annotations of others until little or no room is left for ours. */
function filler(own: Readonly<Record<string, string>>): fc.Arbitrary<Readonly<Record<string, string>>> {
  const key = "example.com/filler";
  const used = Object.entries({ ...own, [key]: "" }).reduce((sum, [name, value]) => sum + Buffer.byteLength(name + value), 0);
  return fc.integer({ min: 0, max: 200 }).map((left) => ({ [key]: "x".repeat(MOST_ANNOTATION_BYTES - used - left) }));
}

/** Pods with annotation values at their limits, and with unusual values for where they run. */
const edgePod: fc.Arbitrary<RandomPod> = fc
  .record({ namespace: fc.constantFrom("plain", ...Object.keys(MORE_NAMESPACES)), spec, annotations: asked, id: fc.uuid() })
  .map(({ namespace, spec: content, annotations, id }) => ({
    namespace,
    annotations,
    pod: { apiVersion: "v1", kind: "Pod", metadata: { name: `pod-${id}` }, spec: content },
  }));

export const anyPod: fc.Arbitrary<RandomPod> = fc.oneof({ weight: 2, arbitrary: randomPod }, { weight: 3, arbitrary: edgePod });
