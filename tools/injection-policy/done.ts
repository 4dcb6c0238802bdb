/**
 * Whether a pod has all that it asks for. The API server asks a policy again of every pod that it has changed: what can be told from the pod
 * alone, and cheaply, spares it that. Where this says no, the pod may be whole all the same.
 */
import { INJECTED_LABEL, POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { ownOf } from "./annotations.ts";
import { bind, pieces, text } from "./cel.ts";
import { REFUSED } from "./mutation.ts";
import { ALL_CONTAINERS, classOf, DRIVER_VOLUMES, isFrom, mountsOf, referenceOf } from "./pod.ts";

/** Larger pods are not told so cheaply. */
const MOST = { characters: 1_024, items: 16, containers: 100, volumes: 100 } as const;

const COUNTED = [
  `${ALL_CONTAINERS}.size() <= ${MOST.containers}`,
  `object.spec.?volumes.orValue([]).size() <= ${MOST.volumes}`,
  `${ALL_CONTAINERS}.all(c, c.?envFrom.orValue([]).size() <= ${MOST.items})`,
];

/** A list that is too long has one item that nothing is called. */
const itemsOf = (annotation: Parameters<typeof ownOf>[0]): string => {
  const items = pieces("string(value)", ",", { characters: MOST.characters, most: MOST.items }, `[""]`);
  return `${ownOf(annotation)}.optMap(value, ${items}.map(item, item.trim())).orValue([])`;
};

/** As the pod itself says, where it says so without blanks; a default of its Namespace is not to be seen here. */
const HAS_REFERENCE = bind(
  "reference",
  referenceOf("volume"),
  `${ownOf("credentialsSecret")}.optMap(value, reference != "none" && !value.contains(" ") && (value.contains("=") ? ("," + value + ",").contains("," + class + "=" + (reference == "" ? "none" : reference) + ",") : value == (reference == "" ? "none" : reference))).orValue(true)`,
);

const HAS_CLASSES = `classes.size() > 0 && classes.all(class, class != "" && volumes.exists(volume, ${classOf("volume")} == class && ${HAS_REFERENCE}))`;

/** Each names a container, or leaves one out. */
const ARE_KNOWN = `items.all(item, item.startsWith("-") && item != "-" || ${ALL_CONTAINERS}.exists(c, c.name == item))`;

const IS_SELECTED = `!(("-" + c.name) in items) && (c.name in items || !items.exists(item, !item.startsWith("-")))`;

const HAS_ALL = [
  `volumes.all(volume, ${mountsOf("c")}.exists(mount, mount.name == volume.name))`,
  `secrets.all(secret, c.?envFrom.orValue([]).exists(source, ${isFrom("source", "secret")}))`,
].join(" && ");

const HAVE_ALL = `${ALL_CONTAINERS}.exists(c, ${IS_SELECTED}) && ${ALL_CONTAINERS}.all(c, !(${IS_SELECTED}) || ${HAS_ALL})`;

const LOOKED_AT = bind(
  "classes",
  itemsOf("secretProviderClass"),
  bind(
    "items",
    itemsOf("containers"),
    bind("secrets", itemsOf("envFrom"), bind("volumes", DRIVER_VOLUMES, `${HAS_CLASSES} && ${ARE_KNOWN} && ${HAVE_ALL}`)),
  ),
);

export const IS_DONE = [
  `object.metadata.?annotations[?${text(POD_ANNOTATIONS.inject)}].orValue("") == "true"`,
  `object.metadata.?labels[?${text(INJECTED_LABEL)}].orValue("") == "true"`,
  `!object.metadata.?annotations[?${text(POD_ANNOTATIONS.status)}].orValue(${text(REFUSED)}).startsWith(${text(REFUSED)})`,
  ...COUNTED,
  LOOKED_AT,
].join(" && ");
