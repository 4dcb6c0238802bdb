/** One value of the chart, as the schema, values.yaml, the chart's own checks and the reference page have it. */
import type { Json, JsonMap } from "./place.ts";

export interface ValueRow {
  /** Keys with dots between them. */
  readonly path: string;
  readonly default: Json;
  /** JSON Schema of what may stand there. */
  readonly type: JsonMap;
  /** For people: what it does, or that it does nothing here. */
  readonly meaning: string;
  /** Which upstream chart has it; ours alone where not given. `driver`: under `secrets-store-csi-driver` in this chart. */
  readonly upstream?: "provider" | "driver";
  /** Anything but these is refused, with the reason. Not given: supported. */
  readonly refused?: { readonly unless: readonly Json[]; readonly because: string };
  /** Flag of our processes that it becomes, without dashes. */
  readonly flag?: string;
}

export const BOOLEAN = { type: "boolean" } as const;
export const TEXT = { type: "string" } as const;
/** No `<tenant-id>` of a page, and no `${TENANT_ID}`. */
export const OWN_TEXT = { type: "string", pattern: "^[^<>$]*$" } as const;
export const NUMBER = { type: "integer", minimum: 0 } as const;
export const MAP = { type: ["object", "null"] } as const;
export const LABELS = { type: ["object", "null"], additionalProperties: { type: "string" } } as const;
export const LIST = { type: ["array", "null"] } as const;
/** References to Secrets: a bare name becomes a pod that no API server takes. */
export const SECRET_REFERENCES = {
  type: ["array", "null"],
  items: { type: "object", required: ["name"], properties: { name: { type: "string", minLength: 1 } }, additionalProperties: false },
} as const;
/** An empty text in a list is a variable that was not set, and would be taken for no limit, or for any name. */
export const TEXTS = { type: ["array", "null"], items: { type: "string", minLength: 1 } } as const;
/** Such a list without placeholders of a page, also within an item, such as the address of a queue. */
export const OWN_TEXTS = { type: ["array", "null"], items: { ...OWN_TEXT, minLength: 1 } } as const;
/** Without an audience the kubelet's token is one for the API server. */
export const TOKEN_REQUESTS = {
  type: ["array", "null"],
  items: { type: "object", required: ["audience"], properties: { audience: { type: "string", minLength: 1 } } },
} as const;
const FILLED = { type: "array", minItems: 1 } as const;
/** Rules of a NetworkPolicy: one without peers and ports would allow everything. */
export const EGRESS_RULES = {
  type: ["array", "null"],
  items: {
    type: "object",
    anyOf: [
      { required: ["to"], properties: { to: FILLED } },
      { required: ["ports"], properties: { ports: FILLED } },
    ],
  },
} as const;
/** A name without which nothing is left to install or to limit. */
export const NAME = { type: "string", minLength: 1 } as const;
const USER = { type: "integer", minimum: 1 } as const;
const PROFILE = {
  type: "object",
  required: ["type"],
  properties: { type: { enum: ["RuntimeDefault", "Localhost"] }, localhostProfile: NAME },
  additionalProperties: false,
} as const;
/** Fields that pods and containers have alike. */
const SECURITY = {
  runAsNonRoot: { enum: [true] },
  runAsUser: USER,
  runAsGroup: USER,
  seccompProfile: PROFILE,
  appArmorProfile: PROFILE,
  seLinuxOptions: {
    type: "object",
    properties: { type: { enum: ["container_t", "container_init_t", "container_kvm_t"] }, level: TEXT },
    additionalProperties: false,
  },
} as const;
/** What PodSecurity's level `restricted` lets a pod say. */
export const POD_SECURITY = {
  type: ["object", "null"],
  properties: {
    ...SECURITY,
    supplementalGroups: { type: ["array", "null"], items: USER },
  },
  additionalProperties: false,
} as const;
/** The same for a container; what the chart says itself may be said again. */
export const CONTAINER_SECURITY = {
  type: ["object", "null"],
  properties: {
    ...SECURITY,
    privileged: { enum: [false] },
    allowPrivilegeEscalation: { enum: [false] },
    readOnlyRootFilesystem: { enum: [true] },
    procMount: { enum: ["Default"] },
    capabilities: { type: "object", properties: { drop: { enum: [["ALL"]] } }, additionalProperties: false },
  },
  additionalProperties: false,
} as const;
/** Environment variables of a container. */
export const VARIABLES = {
  type: ["array", "null"],
  items: { type: "object", required: ["name"], properties: { name: NAME } },
} as const;
/** Whole objects, or texts that become some. */
export const OBJECTS = {
  type: ["array", "null"],
  items: {
    anyOf: [
      { type: "string", minLength: 1 },
      { type: "object", required: ["apiVersion", "kind", "metadata"] },
    ],
  },
} as const;
/** Keys that the manifests have themselves would stand twice. */
export const COMMON_LABELS = {
  ...LABELS,
  patternProperties: { "^app$|^([a-z.]+\\.)?(app\\.kubernetes\\.io|helm\\.sh|k8s\\.io|keyvault-injector\\.dev)/": false },
} as const;
/** As Go writes durations. */
export const DURATION = { type: ["string", "null"], pattern: "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$" } as const;
/** A workload without pods serves nobody. */
export const REPLICAS = { type: "integer", minimum: 1 } as const;
const OPENING = String.raw`([^\s;]+\s+){5}for\s+[^\s;]+(\s+in\s+[A-Za-z][^\s;]*)?`;
/**
 * The shape of a restart window, short enough to be read in Helm's message. The worker, which stops at what is none, knows the calendar. Of
 * RE2 and ECMAScript.
 */
export const WINDOW = { type: "string", pattern: String.raw`^\s*(always|${OPENING}(\s*;\s*${OPENING})*)?\s*$` } as const;
export const PULL_POLICY = { enum: ["Always", "IfNotPresent", "Never"] } as const;
/** Upstream's values write ports as `:8095`, `"8898"` or 8898. */
export const PORT = { type: ["string", "integer"], pattern: "^[^:]*:?[0-9]+$" } as const;

/** Whether a chart of ours takes the path's subtree as it is: maps and lists of Kubernetes' own fields. */
export function isOpen({ type }: ValueRow): boolean {
  const kinds = [type["type"]].flat();
  return kinds.includes("object") || kinds.includes("array");
}
