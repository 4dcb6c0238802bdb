/** Renders the kustomizations from which the chart is generated, with the condition under which the chart uses each. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseAllDocuments } from "yaml";
import { withLabels } from "./labels.ts";
import type { JsonMap } from "./place.ts";
import { NAMESPACE } from "./template-text.ts";

const MANIFESTS = path.resolve(import.meta.dirname, "../../manifests");

/** Condition under which the worker heals our own components, for which it needs further rights. */
export const HEALS_COMPONENTS = 'has "components" .Values.heal';

/** Condition under which the webhook requires client certificates. A release of an older chart may lack these values. */
const VERIFIES_CLIENTS = "or (.Values.clientCA).configMap (.Values.clientCA).secret";
/** Condition under which the worker also heals the driver and the provider. */
export const HEALS_NODE_SIDE = 'include "keyvault-injector.heals-node-side" $';

/** Whether the object is part of the rights for component healing. */
export function isForHealing({ metadata }: JsonMap): boolean {
  const { labels } = metadata as { readonly labels?: Readonly<Record<string, string>> }; // Every object that kustomize takes has metadata.
  return labels?.["app.kubernetes.io/component"] === "component-healing";
}

export type Render = (folder: string) => Promise<string>;

/** `<Kind>/<name>` and the object. */
export type Objects = ReadonlyMap<string, JsonMap>;

function parseObjects(text: string): Objects {
  const objects = parseAllDocuments(text).map((document) => withLabels(withoutNamespace(document.toJS() as JsonMap))); // Kubernetes' output.
  return new Map(objects.map((object) => [nameOf(object), object]));
}

/** Removes a namespace that kubectl's kustomize adds, because it does not know yet that these kinds are cluster-scoped. */
function withoutNamespace(object: JsonMap): JsonMap {
  if (!kindOf(object).startsWith("MutatingAdmissionPolicy")) return object;
  const { namespace: _, ...metadata } = object["metadata"] as JsonMap; // Every object that kustomize takes has one.
  return { ...object, metadata };
}

export function kindOf({ kind }: JsonMap): string {
  return typeof kind === "string" ? kind : "";
}

function nameOf(object: JsonMap): string {
  const { name } = object["metadata"] as { readonly name: string }; // Every object that kustomize takes has one.
  return `${kindOf(object)}/${name}`;
}

/** Renders folders of the manifests in the namespace that represents the release's, as a user would install them in another namespace. */
async function renderElsewhere(render: Render, resources: readonly string[], components: readonly string[] = []): Promise<Objects> {
  const folder = mkdtempSync(path.join(tmpdir(), "helm-chart-"));
  try {
    // Objects that a component adds may contain the namespace in further places.
    const references = components.map((part) => `${part}/namespace-references`).filter((part) => existsSync(path.join(MANIFESTS, part)));
    const relative = (part: string): string => path.relative(folder, path.join(MANIFESTS, part));
    const kustomization = {
      namespace: NAMESPACE,
      resources: resources.map(relative),
      components: components.map(relative),
      transformers: ["namespace-references", ...references].map(relative),
    };
    writeFileSync(path.join(folder, "kustomization.yaml"), JSON.stringify(kustomization));
    return parseObjects(await render(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface Variant {
  readonly condition: string;
  readonly objects: Objects;
  /**
   * Whether the variant is one of an ordered series of steps. The first step leaves out most, each later one less. A condition of one step
   * implies those of the later ones.
   */
  readonly isStep?: boolean;
}

export interface Sources {
  readonly product: Objects;
  /** The product with the changes of an overlay or a component. */
  readonly variants: readonly Variant[];
  readonly networkPolicies: Objects;
  readonly driver: Objects;
  readonly driverWindows: Objects;
  readonly provider: Objects;
  readonly providerWindows: Objects;
  readonly openshift: Objects;
  readonly monitoring: Objects;
}

/** Rules that the chart omits if their setting is off. */
const RIGHTS_OF_SETTINGS = ["disruption-budgets", "argo-rollouts", "gateway-tls"].map((name) => `components/${name}/rights`);

/** Parts with conditions of their own. */
const CONDITIONAL = [...RIGHTS_OF_SETTINGS, "components/injection-policy", "components/no-webhook/guard"];

const NODE_SIDE_HEALING = "components/node-side-healing";

/** Renders a part of the node side with the worker's rights to it, in the namespaces that the manifests name. */
async function renderHealed(render: Render, part: string): Promise<Objects> {
  const folder = mkdtempSync(path.join(tmpdir(), "helm-chart-"));
  try {
    const relative = (below: string): string => path.relative(folder, path.join(MANIFESTS, below));
    const kustomization = { resources: [relative(`components/${part}`)], components: [relative(`${NODE_SIDE_HEALING}/${part}`)] };
    writeFileSync(path.join(folder, "kustomization.yaml"), JSON.stringify(kustomization));
    return parseObjects(await render(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function renderSources(render: Render): Promise<Sources> {
  const here = async (folder: string): Promise<Objects> => parseObjects(await render(path.join(MANIFESTS, folder)));
  // The largest set of objects. Variants leave objects out, or add some.
  const healing = (overlay: string, ...components: readonly string[]): Promise<Objects> =>
    renderElsewhere(render, [overlay], [`${NODE_SIDE_HEALING}/product`, ...CONDITIONAL, ...components]);
  const healed = (part: string): Promise<Objects> => renderHealed(render, part);
  const only = "RoleBinding/keyvault-injector-node-side";
  const [
    product,
    blind,
    strict,
    unhealed,
    withoutNodeSide,
    limited,
    certified,
    verifying,
    networked,
    driver,
    driverWindows,
    provider,
    providerWindows,
    openshift,
    monitoring,
    metricsServices,
  ] = await Promise.all([
    healing("overlays/default"),
    healing("overlays/blind"),
    healing("overlays/strict"),
    healing("overlays/default", "components/no-component-healing"),
    renderElsewhere(render, ["overlays/default"], CONDITIONAL),
    healing("overlays/default", "components/namespaces"),
    healing("overlays/default", "components/cert-manager"),
    healing("overlays/default", "components/client-ca"),
    renderElsewhere(render, ["overlays/default", "components/network-policies"]),
    healed("csi-driver"),
    healed("csi-driver-windows"),
    healed("azure-provider"),
    healed("azure-provider-windows"),
    here("overlays/openshift"),
    here("components/monitoring"),
    here("components/metrics-service"),
  ]);
  return {
    product,
    variants: [
      { condition: 'eq .Values.secretAccess "blind"', objects: blind },
      { condition: 'eq .Values.classAuthors "deny"', objects: strict },
      { condition: `not (${HEALS_COMPONENTS})`, objects: unhealed, isStep: true },
      { condition: `not (${HEALS_NODE_SIDE})`, objects: withoutNodeSide, isStep: true },
      { condition: ".Values.namespaces", objects: limited },
      { condition: VERIFIES_CLIENTS, objects: verifying },
      { condition: "(.Values.certManager).enabled", objects: certified },
    ],
    networkPolicies: networkPoliciesOf(networked),
    driver,
    driverWindows,
    provider,
    providerWindows,
    openshift: new Map([...openshift].filter(([name]) => name === only)),
    monitoring: new Map([...monitoring, ...metricsServices]),
  };
}

function networkPoliciesOf(objects: Objects): Objects {
  return new Map([...objects].filter(([name]) => name.startsWith("NetworkPolicy/")));
}
