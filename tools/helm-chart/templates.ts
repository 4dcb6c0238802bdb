/** Renders the chart's generated templates: the objects of the sources, by file, with marks and conditions. */
import { isDeepStrictEqual } from "node:util";
import { additionsTo, unionOf } from "./additions.ts";
import { labelMark } from "./labels.ts";
import { NODE_MARKS } from "./marks-node.ts";
import { ONLY_WHERE, PRODUCT_MARKS, REPEATED } from "./marks-product.ts";
import { type JsonMap, type Mark, when } from "./place.ts";
import { withPodTemplate } from "./pod-template.ts";
import { HEALS_COMPONENTS, HEALS_NODE_SIDE, isForHealing, kindOf, type Objects, type Sources, type Variant } from "./sources.ts";
import { templateOf } from "./template-text.ts";

const MARKS = [...PRODUCT_MARKS, ...NODE_MARKS];

/** Our kinds by file. The generator stops at any other kind, and a developer decides about its file. */
const FILES: readonly { readonly file: string; readonly kinds: readonly string[] }[] = [
  { file: "workloads.yaml", kinds: ["Deployment", "PodDisruptionBudget", "PriorityClass", "Service"] },
  { file: "rbac.yaml", kinds: ["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"] },
  { file: "webhook-configurations.yaml", kinds: ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] },
  { file: "certificates.yaml", kinds: ["Certificate", "Issuer"] },
  { file: "policies.yaml", kinds: ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"] },
  { file: "injection.yaml", kinds: ["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"] },
];

/** Not in the chart: the release's namespace exists before the release. PodTemplates are made from the workloads with their names. */
const LEFT_OUT = ["Namespace", "PodTemplate"];

const DRIVER = `{{- $driver := index .Values "secrets-store-csi-driver" }}`;
const RBAC_KINDS = ["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];

function marksOf(name: string, object: JsonMap): readonly Mark[] {
  return [...MARKS.filter((mark) => mark.object === name), labelMark(name, object)];
}

const wrapped = (condition: string, body: string): string => `{{- if ${condition} }}\n${body}\n{{- end }}`;

/** A document, or one document for each item of the list that the object is repeated for. */
function repeated(name: string, template: string): string {
  const list = REPEATED.get(name);
  return list === undefined ? `---\n${template}` : `{{- range ${list} }}\n---\n${template}\n{{- end }}`;
}

/** Throws if a mark is never used, which is an error like a mark without a place. */
function assertUsed(templated: ReadonlySet<string>): void {
  const idle = MARKS.filter(({ object }) => !templated.has(object)).map(({ object }) => object);
  if (idle.length > 0) throw new Error(`no source has ${[...new Set(idle)].join(", ")}: take its marks away`);
}

/**
 * Variants that change an object. If another variant makes the same change as a step, only the step counts, because that variant's
 * condition implies the step's.
 */
function changedBy(name: string, object: JsonMap, { variants }: Sources): readonly Variant[] {
  const changed = variants.filter(({ objects }) => !isDeepStrictEqual(objects.get(name), object));
  const steps = changed.filter(({ isStep }) => isStep === true);
  const isOfStep = ({ objects }: Variant): boolean => steps.some((step) => isDeepStrictEqual(step.objects.get(name), objects.get(name)));
  return [...steps, ...changed.filter((variant) => variant.isStep !== true && !isOfStep(variant))];
}

/** An object, or its variants with their conditions. */
function productTemplate(name: string, object: JsonMap, sources: Sources): string {
  const changed = changedBy(name, object, sources);
  // The worker's Deployment differs in arguments only, which come from the values.
  if (changed.length === 0 || name === "Deployment/keyvault-injector-sync") return `---\n${templateOf(object, marksOf(name, object))}`;
  if (changed.length > 1 && changed.every(({ isStep }) => isStep === true)) return stepsOf(name, object, changed);
  const [variant, another] = changed;
  if (variant === undefined) throw new Error(`${name} differs in no overlay`);
  if (another !== undefined) return joinedTemplate(name, object, changed);
  const other = variant.objects.get(name);
  // An overlay leaves the object out.
  if (other === undefined) return `---\n{{- if not (${variant.condition}) }}\n${templateOf(object, marksOf(name, object))}\n{{- end }}`;
  const added = additionsTo(object, other)?.map((at): Mark => ({ object: name, at, put: when(variant.condition) }));
  if (added !== undefined) return `---\n${templateOf(other, [...marksOf(name, object), ...added])}`;
  const there = templateOf(other, marksOf(name, object), { isVariant: true });
  return `---\n{{- if ${variant.condition} }}\n${there}\n{{- else }}\n${templateOf(object, marksOf(name, object))}\n{{- end }}`;
}

/** Renders an object to which several components add. */
function joinedTemplate(name: string, object: JsonMap, changed: Sources["variants"]): string {
  const objects = changed.flatMap(({ condition, objects: each }) => {
    const other = each.get(name);
    return other === undefined ? [] : [{ condition, object: other }];
  });
  const union = objects.length === changed.length ? unionOf(object, objects) : undefined;
  if (union === undefined) throw new Error(`${name} differs in two overlays, and not by additions alone`);
  const added = union.conditional.map(({ at, condition }): Mark => ({ object: name, at, put: when(condition) }));
  return `---\n${templateOf(union.object as JsonMap, [...marksOf(name, object), ...added])}`; // The union of two maps is a map.
}

/** The first step whose condition holds applies. */
function stepsOf(name: string, object: JsonMap, steps: readonly Variant[]): string {
  const cases = steps.map(({ condition, objects }, index) => {
    const there = objects.get(name);
    if (there === undefined) throw new Error(`${name} is left out by one of two steps`);
    return `{{- ${index === 0 ? "if" : "else if"} ${condition} }}\n${templateOf(there, marksOf(name, object), { isVariant: true })}`;
  });
  return `---\n${cases.join("\n")}\n{{- else }}\n${templateOf(object, marksOf(name, object))}\n{{- end }}`;
}

/** Templates of the product's objects and of those that a variant adds. */
function productTemplates(sources: Sources): readonly { readonly name: string; readonly object: JsonMap; readonly template: string }[] {
  const added = sources.variants.flatMap(({ condition, objects }) =>
    [...objects]
      .filter(([name]) => !sources.product.has(name))
      .map(([name, object]) => {
        const further = ONLY_WHERE.get(name);
        const where = further === undefined ? condition : `and ${condition} (${further})`;
        return { name, object, template: wrapped(where, repeated(name, templateOf(object, marksOf(name, object)))) };
      }),
  );
  const own = [...sources.product]
    .filter(([, object]) => !LEFT_OUT.includes(kindOf(object)))
    .map(([name, object]) => {
      const where = ONLY_WHERE.get(name);
      const { definition, workload, podTemplate } = withPodTemplate(name, productTemplate(name, object, sources), {
        objects: sources.product,
        marksOf,
        heals: HEALS_COMPONENTS,
      });
      return { name, object, template: definition + (where === undefined ? workload : wrapped(where, workload)) + podTemplate };
    });
  return [...own, ...added].filter(({ object }) => !LEFT_OUT.includes(kindOf(object)));
}

function productFiles(sources: Sources): readonly (readonly [string, string])[] {
  const objects = productTemplates(sources);
  const stray = objects.find(({ object }) => !FILES.some(({ kinds }) => kinds.includes(kindOf(object))));
  if (stray !== undefined) throw new Error(`${stray.name} belongs to no file of the chart: name its kind in tools/helm-chart/templates.ts`);
  return FILES.map(({ file, kinds }) => [
    file,
    objects
      .filter(({ object }) => kinds.includes(kindOf(object)))
      .map(({ template }) => template)
      .join("\n"),
  ]);
}

/** Templates of the node side. Accounts and roles depend on the values. */
function nodeTemplates(objects: Objects, { condition, rbac }: { readonly condition: string; readonly rbac: string }): string {
  const made = [...objects].filter(([, object]) => kindOf(object) !== "PodTemplate");
  const templates = made.map(([name, object]) => {
    const isRbac = RBAC_KINDS.includes(kindOf(object));
    const healing = isForHealing(object) ? ` (${HEALS_NODE_SIDE})` : "";
    const alone = `---\n${templateOf(object, marksOf(name, object))}`;
    const { definition, workload, podTemplate } = withPodTemplate(name, alone, { objects, marksOf, heals: HEALS_NODE_SIDE });
    return definition + wrapped(isRbac ? `and (${condition}) ${rbac}${healing}` : condition, workload + podTemplate);
  });
  return templates.join("\n");
}

/** Separates DaemonSets and their PodTemplates from the other objects. */
function apart(objects: Objects): { readonly daemonSets: Objects; readonly others: Objects } {
  const isOfPods = (object: JsonMap): boolean => ["DaemonSet", "PodTemplate"].includes(kindOf(object));
  const only = (wanted: boolean): Objects => new Map([...objects].filter(([, object]) => isOfPods(object) === wanted));
  return { daemonSets: only(true), others: only(false) };
}

function nodeFiles(sources: Sources): readonly (readonly [string, string])[] {
  const ofDriver = (condition: string) => ({ condition: `and $driver.install ${condition}`, rbac: "$driver.rbac.install" });
  const ofProvider = (condition: string) => ({ condition, rbac: ".Values.rbac.install" });
  const driver = apart(sources.driver);
  const provider = apart(sources.provider);
  return [
    [
      "csi-driver.yaml",
      [
        nodeTemplates(driver.others, ofDriver("(or $driver.linux.enabled $driver.windows.enabled)")),
        nodeTemplates(driver.daemonSets, ofDriver("$driver.linux.enabled")),
        nodeTemplates(sources.driverWindows, ofDriver("$driver.windows.enabled")),
      ].join("\n"),
    ],
    [
      "azure-provider.yaml",
      [
        nodeTemplates(provider.others, ofProvider("or .Values.linux.enabled .Values.windows.enabled")),
        nodeTemplates(provider.daemonSets, ofProvider(".Values.linux.enabled")),
        nodeTemplates(sources.providerWindows, ofProvider(".Values.windows.enabled")),
      ].join("\n"),
    ],
    ["openshift.yaml", nodeTemplates(sources.openshift, { condition: ".Values.openshift", rbac: "true" })],
    ["network-policies.yaml", nodeTemplates(sources.networkPolicies, { condition: ".Values.networkPolicies.enabled", rbac: "true" })],
  ];
}

/** Name and text of each generated template. */
export function chartTemplates(sources: Sources): ReadonlyMap<string, string> {
  const sourced = Object.values(sources).flatMap((part) => (part instanceof Map ? [...part.keys()] : [])) as readonly string[];
  assertUsed(new Set([...sourced, ...sources.variants.flatMap(({ objects }) => [...objects.keys()])]));
  const title = "{{- /* Made by tools/helm-chart from manifests/; a change goes there. */ -}}";
  return new Map([...productFiles(sources), ...nodeFiles(sources)].map(([file, body]) => [file, `${title}\n${DRIVER}\n${body}\n`]));
}
