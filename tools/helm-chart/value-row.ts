/** One value of the chart, for the schema, values.yaml, the chart's own checks and the reference page. */
import type { Json, JsonMap } from "./place.ts";

export interface ValueRow {
  /** Keys with dots between them. */
  readonly path: string;
  readonly default: Json;
  /** JSON Schema of the allowed values. */
  readonly type: JsonMap;
  /** Text for users: the effect of the value, or that it has none here. */
  readonly meaning: string;
  /** Upstream chart that has the value. Not set: only our chart has it. `driver`: under `secrets-store-csi-driver` in this chart. */
  readonly upstream?: "provider" | "driver";
  /** The chart rejects any other value, with the reason. Not set: the value is supported. */
  readonly refused?: { readonly unless: readonly Json[]; readonly because: string };
  /** Flag of our processes that receives the value, without dashes. */
  readonly flag?: string;
}

export const BOOLEAN = { type: "boolean" } as const;
export const TEXT = { type: "string" } as const;
/** Rejects placeholders such as `<tenant-id>` of a page and `${TENANT_ID}`. */
export const OWN_TEXT = { type: "string", pattern: "^[^<>$]*$" } as const;
export const NUMBER = { type: "integer", minimum: 0 } as const;
export const MAP = { type: ["object", "null"] } as const;
export const LABELS = { type: ["object", "null"], additionalProperties: { type: "string" } } as const;
export const LIST = { type: ["array", "null"] } as const;
/** References to Secrets. A bare name would render a pod that every API server rejects. */
export const SECRET_REFERENCES = {
  type: ["array", "null"],
  items: { type: "object", required: ["name"], properties: { name: { type: "string", minLength: 1 } }, additionalProperties: false },
} as const;
/** Items must not be empty: an empty text comes from a variable without a value, and would mean no limit, or any name. */
export const TEXTS = { type: ["array", "null"], items: { type: "string", minLength: 1 } } as const;
/** The same without placeholders of a page, also within an item such as the address of a queue. */
export const OWN_TEXTS = { type: ["array", "null"], items: { ...OWN_TEXT, minLength: 1 } } as const;
/** Without an audience, the kubelet's token is for the API server. */
export const TOKEN_REQUESTS = {
  type: ["array", "null"],
  items: { type: "object", required: ["audience"], properties: { audience: { type: "string", minLength: 1 } } },
} as const;
const FILLED = { type: "array", minItems: 1 } as const;
/** Rules of a NetworkPolicy. A rule without peers and ports would allow everything. */
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
/** A name that must not be empty, because without it the chart has nothing to install or to limit. */
export const NAME = { type: "string", minLength: 1 } as const;
const USER = { type: "integer", minimum: 1 } as const;
const PROFILE = {
  type: "object",
  required: ["type"],
  properties: { type: { enum: ["RuntimeDefault", "Localhost"] }, localhostProfile: NAME },
  additionalProperties: false,
} as const;
/** Fields that pods and containers share. */
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
/** Values that the level `restricted` of PodSecurity allows for a pod. */
export const POD_SECURITY = {
  type: ["object", "null"],
  properties: {
    ...SECURITY,
    supplementalGroups: { type: ["array", "null"], items: USER },
  },
  additionalProperties: false,
} as const;
/** The same for a container. A user may repeat values that the chart sets itself. */
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
/** Whole objects, or texts that render to objects. */
export const OBJECTS = {
  type: ["array", "null"],
  items: {
    anyOf: [
      { type: "string", minLength: 1 },
      { type: "object", required: ["apiVersion", "kind", "metadata"] },
    ],
  },
} as const;
/** Rejects keys that the manifests have themselves, which would otherwise occur twice. */
export const COMMON_LABELS = {
  ...LABELS,
  patternProperties: { "^app$|^([a-z.]+\\.)?(app\\.kubernetes\\.io|helm\\.sh|k8s\\.io|keyvault-injector\\.dev)/": false },
} as const;
/** Go's format of durations. */
export const DURATION = { type: ["string", "null"], pattern: "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$" } as const;
/** A workload needs at least one pod. */
export const REPLICAS = { type: "integer", minimum: 1 } as const;
const OPENING = String.raw`([^\s;]+\s+){5}for\s+[^\s;]+(\s+in\s+[A-Za-z][^\s;]*)?`;
/**
 * The form of a restart window, as a pattern for both RE2 and ECMAScript that is short enough for Helm's message. The worker checks the
 * calendar, and stops if a window is invalid.
 */
export const WINDOW = { type: "string", pattern: String.raw`^\s*(always|${OPENING}(\s*;\s*${OPENING})*)?\s*$` } as const;
export const PULL_POLICY = { enum: ["Always", "IfNotPresent", "Never"] } as const;
/** Upstream's values have ports in the forms `:8095`, `"8898"` and 8898. */
export const PORT = { type: ["string", "integer"], pattern: "^[^:]*:?[0-9]+$" } as const;

/** Whether the chart does not check the names below the path: maps and lists with fields of Kubernetes. */
export function isOpen({ type }: ValueRow): boolean {
  const kinds = [type["type"]].flat();
  return kinds.includes("object") || kinds.includes("array");
}
