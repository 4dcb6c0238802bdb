/**
 * Whether a pod has all that it asks for. The API server asks a policy again of every pod that it has changed, and evaluates a policy's messages
 * whether they are needed or not: what can be told from the pod alone, and cheaply, spares it that. Where this says no, the pod may be whole all
 * the same.
 */
import { INJECTED_LABEL, POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { ownOf } from "./annotations.ts";
import { bind, text } from "./cel.ts";
import { REFUSED } from "./mutation.ts";
import { classOf, DRIVER_VOLUMES, isFrom, mountsOf, referenceOf } from "./pod.ts";

/** Characters of a list that is looked at. */
const LONGEST = 1_024;

const itemsOf = (annotation: Parameters<typeof ownOf>[0]): string =>
  `${ownOf(annotation)}.optMap(value, value.split(",").map(item, item.trim())).orValue([])`;

const IS_SHORT = (["secretProviderClass", "credentialsSecret", "containers", "envFrom"] as const).map(
  (name) => `${ownOf(name)}.orValue("").size() <= ${LONGEST}`,
);

/** As the pod itself says; a default of its Namespace is not to be seen here. */
const HAS_REFERENCE = bind(
  "reference",
  `${referenceOf("volume")} == "" ? "none" : ${referenceOf("volume")}`,
  `${ownOf("credentialsSecret")}.optMap(value, value.contains("=") ? ("," + value.replace(" ", "") + ",").contains("," + class + "=" + reference + ",") : value.trim() == reference).orValue(true)`,
);

const HAS_CLASSES = `${itemsOf("secretProviderClass")}.all(class, volumes.exists(volume, ${classOf("volume")} == class && ${HAS_REFERENCE}))`;

const IS_LEFT_OUT = `("-" + c.name) in items || items.exists(item, !item.startsWith("-")) && !(c.name in items)`;

const HAS_ALL = [
  `volumes.all(volume, ${mountsOf("c")}.exists(mount, mount.name == volume.name))`,
  `secrets.all(secret, c.?envFrom.orValue([]).exists(source, ${isFrom("source", "secret")}))`,
].join(" && ");

const CONTAINERS = "(object.spec.?initContainers.orValue([]) + object.spec.containers)";

const HAVE_ALL = bind(
  "items",
  itemsOf("containers"),
  bind("secrets", itemsOf("envFrom"), `${CONTAINERS}.all(c, ${IS_LEFT_OUT} || ${HAS_ALL})`),
);

export const IS_DONE = [
  `object.metadata.?annotations[?${text(POD_ANNOTATIONS.inject)}].orValue("") == "true"`,
  `object.metadata.?labels[?${text(INJECTED_LABEL)}].orValue("") == "true"`,
  `!object.metadata.?annotations[?${text(POD_ANNOTATIONS.status)}].orValue(${text(REFUSED)}).startsWith(${text(REFUSED)})`,
  `${ownOf("secretProviderClass")}.orValue("").trim() != ""`,
  ...IS_SHORT,
  bind("volumes", DRIVER_VOLUMES, `volumes.size() > 0 && ${HAS_CLASSES} && ${HAVE_ALL}`),
].join(" && ");
