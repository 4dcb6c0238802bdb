/** Builds the JSON Patch that adds the missing parts, or writes into the pod's status why the policy adds nothing. */
import { INJECTED_LABEL, POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { MOST_BYTES } from "../../src/domain/injection/plan.ts";
import { CSI_DRIVER } from "../../src/domain/injection/settings.ts";
import { bind, choose, of, text } from "./cel.ts";

const add = (path: string, value: string): string => `JSONPatch{op: "add", path: ${path}, value: ${value}}`;

const pointer = (...parts: readonly string[]): string =>
  text(parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join(""));

const REFERENCE = `optional.ofNonZeroValue(${of("references")}[index]).optMap(name, Object.spec.volumes.csi.nodePublishSecretRef{name: name})`;

const VOLUME = `Object.spec.volumes{name: ${of("volumeNames")}[index], csi: Object.spec.volumes.csi{driver: ${text(CSI_DRIVER)}, readOnly: true, volumeAttributes: {"secretProviderClass": ${of("classes")}[index]}, ?nodePublishSecretRef: ${REFERENCE}}}`;

const VOLUMES = [
  `(has(object.spec.volumes) || ${of("missingVolumes")}.size() == 0 ? [] : [${add(pointer("spec", "volumes"), "[]")}])`,
  `${of("missingVolumes")}.map(index, ${add(pointer("spec", "volumes", "-"), VOLUME)})`,
].join(" + ");

/** Patch for the entries that a container lacks. `value` refers to each missing one as `each`. One type covers all kinds of containers. */
function entriesIn(field: string, missing: string, value: string): string {
  const path = `${of("pointers")}[at] + ${text(`/${field}`)}`;
  const emptyList = `(has(c.${field}) ? [] : [${add(path, "[]")}])`;
  const each = `${missing}[at].map(each, ${add(`${path} + "/-"`, value)})`;
  return `${of("selected")}.transformList(at, c, ${missing}[at].size() > 0, ${emptyList} + ${each}).flatten()`;
}

const ENTRIES = [
  entriesIn(
    "volumeMounts",
    of("missingMounts"),
    `Object.spec.containers.volumeMounts{name: ${of("chosenVolumes")}[each], mountPath: ${of("mountPaths")}[each], readOnly: true}`,
  ),
  entriesIn(
    "envFrom",
    of("missingSources"),
    `Object.spec.containers.envFrom{secretRef: Object.spec.containers.envFrom.secretRef{name: each}}`,
  ),
].join(" + ");

const LABEL = [
  `(has(object.metadata.labels) ? [] : [${add(pointer("metadata", "labels"), "{}")}])`,
  `[${add(pointer("metadata", "labels", INJECTED_LABEL), `"true"`)}]`,
].join(" + ");

const STATUS_KEY = POD_ANNOTATIONS.status;
const names = (list: string): string => `${list}.map(name, "\\"" + name + "\\"").join(",")`;

const MOST_ANNOTATIONS = 500;

// With more annotations, the policy does not count their bytes.
const ROOM = `(object.metadata.annotations.size() > ${MOST_ANNOTATIONS} ? 0 : ${MOST_BYTES - STATUS_KEY.length} - object.metadata.annotations.map(key, key == ${text(STATUS_KEY)} ? 0 : bytes(key).size() + bytes(object.metadata.annotations[key]).size()).sum())`;

const statusPatch = (value: string): string => `[${add(pointer("metadata", "annotations", STATUS_KEY), value)}]`;

/** Same status as the webhook's. Also omits it if the annotations have no room for it. */
function statusEntry(version: string): string {
  const status = `${text(`{"version":${JSON.stringify(version)},"classes":[`)} + ${names(of("classes"))} + "],\\"volumes\\":[" + ${names(of("chosenVolumes"))} + "]}"`;
  const written = choose(
    [
      [`status.size() <= ${ROOM}`, statusPatch("status")],
      [`${text(STATUS_KEY)} in object.metadata.annotations`, statusPatch(`"{}"`)],
    ],
    "[]",
  );
  return bind("status", status, written);
}

/**
 * Start of the status of a pod that the policy does not inject. The final check denies the pod with the rest of the status as its message.
 */
export const REFUSED = "refused: ";

export function mutation(version: string): string {
  return choose(
    [[`${of("problem")} != ""`, statusPatch(`${text(REFUSED)} + ${of("problem")}`)]],
    [VOLUMES, ENTRIES, LABEL, statusEntry(version)].join(" + "),
  );
}
