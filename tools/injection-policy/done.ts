/**
 * Whether a pod already has all that its annotations request. The API server calls a policy again for every pod that the policy has
 * changed. This cheap check of the pod alone avoids that. If the check fails, the pod may still be complete.
 */
import { INJECTED_LABEL, POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type Bounds, bind, text } from "./cel.ts";
import { isOwn, itemsOf, type Name, ownOf } from "./given.ts";
import { REFUSED } from "./mutation.ts";
import { ALL_CONTAINERS, classOf, DRIVER_VOLUMES, isFrom, mountsOf, referenceOf } from "./pod.ts";

/** For larger pods the check is too expensive. */
const MOST = { sources: 16, containers: 100, volumes: 100, ours: 16, mounts: 2_000 } as const;
const LIST: Bounds = { characters: 1_024, most: 16 };

/**
 * Items of an annotation of the pod itself. In a match condition its value can also have the type bytes. A list that is too long yields one
 * empty item, which matches no name.
 */
const ownItems = (name: Name): string => itemsOf(`${ownOf(name)}.optMap(raw, string(raw))`, LIST, `[""]`);

/**
 * Whether the volume has the Secret reference from the pod's own annotation, if that contains no blanks. A match condition cannot read the
 * Namespace's default.
 */
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

/** Each item names a container of the pod, or excludes one. */
const ARE_KNOWN = `items.all(item, item.startsWith("-") && item != "-" || all.exists(c, c.name == item))`;

const HAS_ALL = [
  `volumes.all(volume, ${mountsOf("c")}.exists(mount, mount.name == volume.name))`,
  `secrets.all(secret, c.?envFrom.orValue([]).exists(source, ${isFrom("source", "secret")}))`,
].join(" && ");

const IS_SELECTED = `!(("-" + c.name) in items) && (c.name in items || !items.exists(item, !item.startsWith("-")))`;

/** Names of the Secrets in a container's `envFrom`. */
const OWN_SECRETS = `c.?envFrom.orValue([]).filter(source, has(source.secretRef)).map(source, source.secretRef.?name.orValue(""))`;

/**
 * All selected containers have the same Secrets, as far as the check can tell, because a container that another webhook added later would
 * lack the Secrets that the Namespace requests. The expression avoids `distinct`, which the older API servers of the final check lack.
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

const IS_COMPLETE = LISTS.reduceRight(
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
    IS_COMPLETE,
  ].join(" && "),
);

export const IS_DONE = [
  `object.metadata.?annotations[?${text(POD_ANNOTATIONS.inject)}].orValue("") == "true"`,
  `object.metadata.?labels[?${text(INJECTED_LABEL)}].orValue("") == "true"`,
  `!object.metadata.?annotations[?${text(POD_ANNOTATIONS.status)}].orValue(${text(REFUSED)}).startsWith(${text(REFUSED)})`,
  COUNTED,
].join(" && ");

/** The pod's own annotation lists the Secrets for its environment, so that the Namespace's default does not apply. */
export const HAS_OWN_SECRETS = `${text(POD_ANNOTATIONS.envFrom)} in object.metadata.?annotations.orValue({})`;
