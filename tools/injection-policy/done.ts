/**
 * Whether a pod has all that it asks for. The API server asks a policy again of every pod that it has changed: what can be told from the pod
 * alone, and cheaply, spares it that. Where this says no, the pod may be whole all the same.
 */
import { INJECTED_LABEL, POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type Bounds, bind, text } from "./cel.ts";
import { isOwn, itemsOf, type Name, ownOf } from "./given.ts";
import { REFUSED } from "./mutation.ts";
import { ALL_CONTAINERS, classOf, DRIVER_VOLUMES, isFrom, mountsOf, referenceOf } from "./pod.ts";

/** Larger pods are not told so cheaply. */
const MOST = { sources: 16, containers: 100, volumes: 100, ours: 16, mounts: 2_000 } as const;
const LIST: Bounds = { characters: 1_024, most: 16 };

/** Of the pod's own, which a condition takes for bytes as well; a list that is too long has one item that nothing is called. */
const ownItems = (name: Name): string => itemsOf(`${ownOf(name)}.optMap(raw, string(raw))`, LIST, `[""]`);

/** As the pod itself says, where it says so without blanks; a default of its Namespace is not to be seen here. */
const HAS_REFERENCE = `(!(${isOwn("credentialsSecret")}) || ${bind(
  "reference",
  referenceOf("volume"),
  bind(
    "said",
    `reference == "" ? "none" : reference`,
    `reference != "none" && !credentials.contains(" ") && (credentials.contains("=") ? credentials.contains("," + class + "=" + said + ",") : credentials == "," + said + ",")`,
  ),
)})`;

const HAS_CLASSES = `classes.size() > 0 && classes.all(class, class != "" && volumes.exists(volume, ${classOf("volume")} == class && ${HAS_REFERENCE}))`;

/** Each names a container, or leaves one out. */
const ARE_KNOWN = `items.all(item, item.startsWith("-") && item != "-" || all.exists(c, c.name == item))`;

const HAS_ALL = [
  `volumes.all(volume, ${mountsOf("c")}.exists(mount, mount.name == volume.name))`,
  `secrets.all(secret, c.?envFrom.orValue([]).exists(source, ${isFrom("source", "secret")}))`,
].join(" && ");

const IS_SELECTED = `!(("-" + c.name) in items) && (c.name in items || !items.exists(item, !item.startsWith("-")))`;

/** Those of a container without a name before them. */
const OWN_SECRETS = `c.?envFrom.orValue([]).filter(source, has(source.secretRef)).map(source, source.secretRef.?name.orValue(""))`;

/**
 * What the Namespace asks for is in all of them, as far as can be told: a container that came later has none of it. Without `distinct`, which
 * the final check's older API servers do not know.
 */
const ARE_ALIKE = `(${isOwn("envFrom")} || [selected.map(c, ${OWN_SECRETS})].exists(own, own.all(each, each == own[0])))`;

const HAVE_ALL = bind(
  "selected",
  `items.size() == 0 ? all : all.filter(c, ${IS_SELECTED})`,
  `selected.size() > 0 && selected.all(c, ${HAS_ALL}) && ${ARE_ALIKE}`,
);

const LISTS: readonly (readonly [name: string, expression: string])[] = [
  ["classes", ownItems("secretProviderClass")],
  [
    "credentials",
    `${ownOf("credentialsSecret")}.optMap(value, string(value).size() > ${LIST.characters} ? " " : "," + string(value) + ",").orValue(",,")`,
  ],
  ["items", ownItems("containers")],
  ["secrets", ownItems("envFrom")],
  ["volumes", DRIVER_VOLUMES],
];

const LOOKED_AT = LISTS.reduceRight(
  (expression, [name, value]) => bind(name, value, expression),
  `volumes.size() <= ${MOST.ours} && ${HAS_CLASSES} && ${ARE_KNOWN} && ${HAVE_ALL}`,
);

const COUNTED = bind(
  "all",
  ALL_CONTAINERS,
  [
    `all.size() <= ${MOST.containers}`,
    `object.spec.?volumes.orValue([]).size() <= ${MOST.volumes}`,
    `all.all(c, c.?envFrom.orValue([]).size() <= ${MOST.sources})`,
    `all.map(c, ${mountsOf("c")}.size()).sum() <= ${MOST.mounts}`,
    LOOKED_AT,
  ].join(" && "),
);

export const IS_DONE = [
  `object.metadata.?annotations[?${text(POD_ANNOTATIONS.inject)}].orValue("") == "true"`,
  `object.metadata.?labels[?${text(INJECTED_LABEL)}].orValue("") == "true"`,
  `!object.metadata.?annotations[?${text(POD_ANNOTATIONS.status)}].orValue(${text(REFUSED)}).startsWith(${text(REFUSED)})`,
  COUNTED,
].join(" && ");

/** The pod itself says which Secrets it has in its environment: its Namespace has nothing to add. */
export const HAS_OWN_SECRETS = `${text(POD_ANNOTATIONS.envFrom)} in object.metadata.?annotations.orValue({})`;
